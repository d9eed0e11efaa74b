"""The speech engine espeak-ng, from the wheel `espeakng_loader`, through ctypes."""

import ctypes
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from runnel.shared.errors import InputError, RunnelError

__all__ = ["Espeak", "EspeakVoice", "find_engine"]

# espeak-ng 1.52, speak_lib.h
_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: espeak_Synth returns when all samples have been handed over
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE: report a failure, do not end the process
_UTF8 = 1  # espeakCHARS
_BY_CHARACTER = 1  # espeak_POSITION_TYPE
_PARAMETERS = {"rate": (1, 80, 450), "volume": (2, 0, 200), "pitch": (3, 0, 100), "pitch_range": (4, 0, 100)}
_STATUS = {-1: "internal error", 1: "buffer full", 2: "not found"}  # espeak_ERROR
_VARIANTS = Path("voices", "!v")  # within the data
_LONGEST_PATH = 130  # bytes; espeak-ng cuts the path of its data, with what it appends, at 160
_MISSING = (
    "the dataset spoken_commands is spoken by the package 'espeakng_loader', which is not installed; "
    'install it with: pip install "runnel[demo]"'
)
_INSTEAD = "expected espeakng_loader 0.2.4 on Linux (glibc) or macOS; take a folder of recordings instead"

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class EspeakVoice:
    """How to speak."""

    language: str  # as espeak-ng calls it: "en-us"
    variant: str  # the file in espeak-ng-data/voices/!v: "f2"; or the name of one of our own
    definition: str = ""  # what that file says, if it is our own
    rate: int = 170  # words a minute, 80 .. 450
    pitch: int = 50  # 0 .. 100; the voice's own at 50
    pitch_range: int = 50  # 0 is monotonous, 100 lively
    volume: int = 90  # 0 .. 200; some voices clip above 100


def find_engine() -> tuple[Path, Path]:
    """Returns the library of espeak-ng and the folder of its data.

    Raises:
        InputError: The package `espeakng_loader` is not installed, or lacks one of the two.
    """
    try:
        import espeakng_loader
    except ImportError as error:
        raise InputError(_MISSING) from error
    try:
        library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    except RuntimeError as error:
        raise InputError(f"the package 'espeakng_loader' is damaged ({error}); {_INSTEAD}") from error
    if not library.is_file():
        raise InputError(f"the package 'espeakng_loader' has no library {library} for this machine; {_INSTEAD}")
    return library, data


class Espeak:
    """A private copy of the engine, from entering the context to leaving it.

    The engine keeps state from one utterance to the next, such as the waver of a voice, in variables of its library. So
    that the samples depend on nothing but the seed and what this object has spoken before, it loads a copy of the
    library under a name of its own. Not for two threads at once.

    Args:
        seed: Of the engine's own generator, which breathy voices draw from.

    Raises:
        InputError: On entering: the engine is not installed, or does not run on this machine.
    """

    sample_rate: int  # Hz, what the engine says: 22,050

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._pieces: list[bytes] = []
        self._callback = _Callback(self._collect)  # The engine keeps a pointer to it.

    def __enter__(self) -> Self:
        library, self._package_data = find_engine()
        self._folder = tempfile.TemporaryDirectory(prefix="runnel")
        self._definitions: dict[str, str] = {}  # what the files of our own voices say: {variant: definition}
        try:
            self._library = _load_copy(library, Path(self._folder.name))
            self._data = _own_data(self._package_data, Path(self._folder.name))
            self.sample_rate = self._start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = self._library.espeak_Terminate()
        self._folder.cleanup()
        if error is None:
            _check(status, "end")

    def say(self, text: str, voice: EspeakVoice) -> np.ndarray:
        """Speaks a text.

        Args:
            text: What to say; a word or a few sentences.
            voice: How.

        Returns:
            int16 [N] at `sample_rate`.

        Raises:
            InputError: No such language or variant, a parameter out of its range, or a text without a sound.
            RunnelError: The engine fails.
        """
        self._set_voice(voice)
        self._pieces.clear()
        encoded = text.encode()
        status = self._library.espeak_Synth(encoded, len(encoded) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
        _check(status, f"speak '{text}'")
        samples = np.frombuffer(bytearray().join(self._pieces), np.int16)
        if not samples.any():
            raise InputError(f"received the text '{text}', which has no sound; expected words to speak")
        return samples

    def _start(self) -> int:
        """Initialises the engine and returns its rate in Hz."""
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, bytes(self._data), _DO_NOT_EXIT)
        if rate <= 0:  # 0 if it did not find its data, -1 for all else.
            raise InputError(
                f"espeak-ng does not start with its data in {self._package_data} (code {rate}); {_INSTEAD}"
            )
        self._library.espeak_SetSynthCallback(self._callback)
        _check(self._library.espeak_ng_SetRandSeed(self._seed), "take its seed")
        return rate

    def _set_voice(self, voice: EspeakVoice) -> None:
        """Chooses the voice, then the parameters, which a new voice may reset."""
        file = self._data / _VARIANTS / voice.variant
        if voice.definition and self._definitions.get(voice.variant) != voice.definition:
            self._definitions.pop(voice.variant, None)
            file.unlink(missing_ok=True)  # It may be a link into the package.
            file.write_text(voice.definition)
            self._definitions[voice.variant] = voice.definition
        if not file.is_file():  # The engine would take its plain voice.
            known = self._package_data / _VARIANTS
            raise InputError(f"received the voice variant '{voice.variant}'; expected a file of {known}")
        status = self._library.espeak_SetVoiceByName(f"{voice.language}+{voice.variant}".encode())
        if status:
            raise InputError(f"received the language '{voice.language}'; expected one of espeak-ng, as 'en-us'")
        for name, (number, low, high) in _PARAMETERS.items():
            value = getattr(voice, name)
            if not low <= value <= high:
                raise InputError(f"received the {name} {value} of a voice; expected {low} to {high}")
            _check(self._library.espeak_SetParameter(number, value, 0), f"set the {name} {value}")

    def _collect(self, samples: "ctypes._Pointer[ctypes.c_int16]", count: int, _events: int) -> int:
        """Keeps what the engine hands over; the last call has no samples."""
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * count))
        return 0


def _load_copy(library: Path, folder: Path) -> ctypes.CDLL:
    """Loads a copy of the library, which shares no variable with another one, and declares what is called."""
    try:
        engine = ctypes.CDLL(str(shutil.copy(library, folder)))
        engine.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        engine.espeak_SetSynthCallback.argtypes = [_Callback]
        engine.espeak_SetSynthCallback.restype = None
        engine.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        engine.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        engine.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
        number, pointer = ctypes.c_uint, ctypes.c_void_p
        engine.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, number, ctypes.c_int, number, number, pointer, pointer
        ]  # fmt: skip
    except (OSError, AttributeError) as error:
        raise InputError(f"espeak-ng cannot be loaded here ({' '.join(str(error).split())}); {_INSTEAD}") from error
    return engine


def _own_data(data: Path, folder: Path) -> Path:
    """Returns a folder of links to the data, to which voices can be added, and the path of which the engine takes."""
    own = folder / "data"
    if len(bytes(own)) > _LONGEST_PATH:
        raise InputError(
            f"espeak-ng takes paths of up to {_LONGEST_PATH} bytes; received {own}; set TMPDIR to a shorter one"
        )
    (own / _VARIANTS).mkdir(parents=True)
    opened = {data / parent for parent in (*_VARIANTS.parents, _VARIANTS)}
    for place in opened:
        for path in place.iterdir() if place.is_dir() else ():
            if path not in opened:
                (own / path.relative_to(data)).symlink_to(path)
    return own


def _check(status: int, task: str) -> None:
    """Raises an error for any code but success."""
    if status:
        raise RunnelError(f"espeak-ng could not {task}: {_STATUS.get(status, 'unknown error')} ({status})")
