"""Words of a page that is a picture: the page is painted, an engine reads the painting, its boxes become points.

An engine is loaded once, before its process is confined: it reads its models from the disk. RapidOCR brings its own
(PP-OCR, Latin and CJK scripts); Tesseract takes those of the languages in `MCP_PDF_OCR_LANGUAGES`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Protocol

from mcp_pdf.errors import PdfError
from mcp_pdf.pdf import text
from mcp_pdf.pdf.lines import reading_order
from mcp_pdf.pdf.page import Page, Word
from mcp_pdf.pdf.render import pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pypdfium2
    from PIL.Image import Image

DPI: Final = 200  # letters of 6 points are then 17 pixels tall; finer pictures are scaled down again by the engines
MAX_WORDS: Final = 20_000
LEAST_SURE: Final = 0.5  # of a word, from 0 to 1: below it the letters are a guess
SPACED: Final = 6  # so many letters that are words of their own, and so many of all words: the line is letter-spaced
SPACED_SHARE: Final = 0.8
SPACED_GAP: Final = 1.6  # letters' widths: wider spaces part words of such a line

TESSDATA: Final = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata", "/usr/local/share/tessdata")

_NARROW: Final = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}  # full-width forms that CJK models give

Read = tuple[str, float, float, float, float]  # a word and its box in pixels


class Engine(Protocol):
    """Reads one picture."""

    def read(self, image: Image) -> Iterator[Read]:
        """The words in it, in any order."""
        ...


class RapidOcr:
    """PP-OCR models on ONNX Runtime with one thread."""

    def __init__(self, languages: str) -> None:
        del languages  # one model reads them all
        import cv2
        from rapidocr import RapidOCR

        cv2.setNumThreads(1)
        one_thread = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        self._engine = RapidOCR(params=one_thread | {"Global.log_level": "error", "Global.return_word_box": True})

    def read(self, image: Image) -> Iterator[Read]:
        import numpy as np

        found: Any = self._engine(np.asarray(image)[:, :, ::-1].copy())  # it takes blue first
        for line in found.word_results or ():
            tokens = []
            for token, sure, corners in line:
                if sure >= LEAST_SURE and token.strip():
                    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
                    tokens.append((token.strip(), min(xs), min(ys), max(xs), max(ys)))
            yield from unspaced(tokens)


def unspaced(line: Sequence[Read]) -> Iterator[Read]:
    """The words of a line; letters that were read one by one, since they stand wide apart, are a word again."""
    letters = [token for token, *_ in line if len(token) == 1 and token.isascii()]
    if len(letters) < SPACED or len(letters) < SPACED_SHARE * len(line):
        yield from line
        return
    width = sum(x1 - x0 for _, x0, _, x1, _ in line) / sum(len(token) for token, *_ in line)
    run: list[Read] = []
    for read in line:
        if run and read[1] - run[-1][3] > SPACED_GAP * width:
            yield _merged(run)
            run = []
        run.append(read)
    yield _merged(run)


def _merged(run: Sequence[Read]) -> Read:
    texts, lefts, tops, rights, bottoms = zip(*run, strict=True)
    return "".join(texts), min(lefts), min(tops), max(rights), max(bottoms)


class Tesseract:
    """The Tesseract library through tesserocr; the languages' data must be installed."""

    def __init__(self, languages: str) -> None:
        import tesserocr

        place = os.environ.get("TESSDATA_PREFIX") or next(filter(os.path.isdir, TESSDATA), "")
        self._api = tesserocr.PyTessBaseAPI(path=place, lang=languages, psm=tesserocr.PSM.AUTO)
        self._word = tesserocr.RIL.WORD

    def read(self, image: Image) -> Iterator[Read]:
        import tesserocr

        self._api.SetImage(image)
        self._api.SetSourceResolution(DPI)
        self._api.Recognize()
        for word in tesserocr.iterate_level(self._api.GetIterator(), self._word):
            token = (word.GetUTF8Text(self._word) or "").strip() if not word.Empty(self._word) else ""
            if token and word.Confidence(self._word) >= 100 * LEAST_SURE:
                x0, y0, x1, y1 = word.BoundingBox(self._word)
                yield token, x0, y0, x1, y1


ENGINES: Final[dict[str, Callable[[str], Engine]]] = {"rapidocr": RapidOcr, "tesseract": Tesseract}
_loaded: list[Engine] = []


def load(kind: str) -> None:
    """Loads the engine of this process: its name, and languages after a colon where it needs to be told."""
    name, _, languages = kind.partition(":")
    _loaded.append(ENGINES[name](languages))


def read_page(pdf: pypdfium2.PdfDocument, number: int) -> Page:
    """The page with the words its picture shows; words of its own text layer, where usable, come first."""
    page = next(text.read_pages(pdf, [number]))
    if page.grade == "unreadable":
        raise PdfError("damaged_pdf", f"Page {number} cannot be shown.", "Send an undamaged copy.")
    image = pixels(pdf, number, DPI)
    scale = max(page.width, page.height, 1.0) / max(image.width, image.height)
    own = [] if page.grade == "garbled" else page.words
    seen = [_word(read, scale) for _, read in zip(range(MAX_WORDS), _loaded[-1].read(image), strict=False)]
    page.words = reading_order([*own, *(word for word in seen if not _covered(word, own))])
    page.source = "ocr"
    return page


def _word(read: Read, scale: float) -> Word:
    token, x0, y0, x1, y1 = read
    return Word(token.translate(_NARROW), *(round(edge * scale, 2) for edge in (x0, y0, x1, y1)))


def _covered(word: Word, own: Sequence[Word]) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return any(other.x0 <= x <= other.x1 and other.y0 <= y <= other.y1 for other in own)
