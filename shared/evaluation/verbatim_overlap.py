"""How much of a generated text was learnt by heart: the longest stretch of it that stands in the training text."""

__all__ = ["longest_verbatim_span"]


def longest_verbatim_span(sample: str, training: str) -> str:
    """Finds the longest common substring of a sample and the training text.

    The training text is run through the suffix automaton of the sample (Blumer et al. 1985): time in proportion to the
    length of both together, about a second for a million characters.

    Args:
        sample: generated text, such as some thousand characters.
        training: the text that the model was trained on; case, spaces and line ends count as they are.

    Returns:
        The longest stretch that both hold, the first in the training text among equals; "" if they share no character.
    """
    edges, links, lengths = _suffix_automaton(sample)
    state = length = longest = end = 0
    for place, character in enumerate(training, start=1):
        while state and character not in edges[state]:
            state = links[state]
            length = lengths[state]
        if character in edges[state]:
            state = edges[state][character]
            length += 1
            if length > longest:
                longest, end = length, place
    return training[end - longest : end]


def _suffix_automaton(text: str) -> tuple[list[dict[str, int]], list[int], list[int]]:
    """The smallest automaton that reads every substring of a text, starting in state 0.

    Returns:
        For each state where each character leads, the state of the longest suffix that ends elsewhere too (-1 for the
        start), and the length of the longest substring that leads to the state.
    """
    edges: list[dict[str, int]] = [{}]
    links, lengths = [-1], [0]
    whole = 0
    for character in text:
        previous, whole = whole, len(edges)
        edges.append({})
        links.append(0)
        lengths.append(lengths[previous] + 1)
        while previous >= 0 and character not in edges[previous]:
            edges[previous][character] = whole
            previous = links[previous]
        if previous < 0:
            continue
        following = edges[previous][character]
        if lengths[following] > lengths[previous] + 1:
            following = _split(edges, links, lengths, previous, character)
        links[whole] = following
    return edges, links, lengths


def _split(edges: list[dict[str, int]], links: list[int], lengths: list[int], previous: int, character: str) -> int:
    """Gives the shorter substrings of a state, those that `previous` leads to, a state of their own."""
    split, shorter = edges[previous][character], len(edges)
    edges.append(dict(edges[split]))
    links.append(links[split])
    lengths.append(lengths[previous] + 1)
    links[split] = shorter
    while previous >= 0 and edges[previous].get(character) == split:
        edges[previous][character] = shorter
        previous = links[previous]
    return shorter
