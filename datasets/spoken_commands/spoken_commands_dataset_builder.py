"""Spoken commands in many synthetic voices, with other words, silence and backgrounds."""

from collections.abc import Iterator

import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.spoken_commands.espeak import find_engine
from runnel.datasets.spoken_commands.packed_audio import PackedAudio
from runnel.datasets.spoken_commands.speak_split import SAMPLE_RATE, SPEAKERS, speak_split

__all__ = ["Builder"]


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a clip or recording; README.md beside this file tells source, licence and counts."""

    VERSION = tfds.core.Version("1.5.0")
    RELEASE_NOTES = {  # noqa: RUF012 (TFDS reads it as a class attribute)
        "1.5.0": "Longer backgrounds to be measured on.",
        "1.4.0": "More drawn voices, over a still wider range.",
        "1.3.0": "A wider range of drawn voices; more other words and backgrounds to be measured on.",
        "1.2.0": "Voices that are drawn, to train on.",
        "1.1.0": "More speakers to train on, more backgrounds.",
        "1.0.0": "First release.",
    }

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the features."""
        texts = {name: tfds.features.Text() for name in ("label", "speaker", "text")}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"audio": PackedAudio(SAMPLE_RATE), **texts}),
            disable_shuffling=True,
            homepage="https://github.com/espeak-ng/espeak-ng",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Speaks the splits one after the other; nothing is downloaded."""
        del dl_manager
        find_engine()
        return {split: self._generate_examples(split) for split in SPEAKERS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict]]:
        """Yields (number, example)."""
        for number, clip in enumerate(speak_split(split)):
            yield number, {"audio": clip.audio, "label": clip.label, "speaker": clip.speaker, "text": clip.text}
