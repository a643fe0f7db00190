"""Every limit of the server in one place: sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one kind of worker may use for one job."""

    address_space_bytes: int
    cpu_s: int
    wall_s: float
    jobs_per_process: int
    resident_bytes: int  # a worker above this is replaced after its job
    idle_s: float | None = None  # a worker that waits longer for its next job ends; None: it stays
    open_files: int = 64
    file_size_bytes: int = 0  # a worker writes no file; answers travel by socket


PDF_WORKER: Final = WorkerLimits(768 * MIB, 10, 15.0, 500, 320 * MIB)
OCR_WORKER: Final = WorkerLimits(3072 * MIB, 60, 90.0, 200, 2048 * MIB, idle_s=120.0)


def pdf_worker(cpu_s: int) -> WorkerLimits:
    """The limits of a worker whose jobs may use this much processor time, and half as much again of the clock."""
    return replace(PDF_WORKER, cpu_s=cpu_s, wall_s=1.5 * cpu_s)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may ask for."""

    pdf_bytes: int = 25_600 * 1024
    pages: int = 2_000
    pages_per_read: int = 20  # read_doc_contents without `pages`
    pages_per_job: int = 40  # longer selections are read in several jobs, each with its own deadline
    scans_per_read: int = 10  # pages that read_doc_contents has recognised in one call
    scans_per_extraction: int = 100
    result_bytes: int = 1_000_000
    answer_bytes: int = 32 * MIB  # what a worker may send at most; a longer answer ends it
    form_fields: int = 2_000
    attachment_bytes: int = 700_000  # base64 of it fits a result
    picture_bytes: int = 740_000  # of a JPEG: with its base64 and the words around it a result stays below 1 MB
    listing_page: int = 100
    library_files: int = 100_000
    library_depth: int = 32
    waiting_jobs: int = 1_000
    cache_bytes: int = 256 * MIB
    index_bytes: int = 512 * MIB  # of the search index
    kills_to_quarantine: int = 2


LIMITS: Final = Limits()
