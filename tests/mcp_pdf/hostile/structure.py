"""Loops, great depth and great numbers: page tree, outline, name tree, forms, arrays, dictionaries, attachments."""

from __future__ import annotations

from tests.mcp_pdf.hostile.objects import (
    DAMAGED,
    HEAVY,
    REPAIRED,
    SPENT,
    TEXT,
    Family,
    many_pages,
    page,
    pdf,
    readable,
    stream,
)

DEEP = 50_000


def attached(name: bytes, content: bytes) -> bytes:
    """A page with one file attached; `content` is the whole stream object."""
    catalog = b"/Names<</EmbeddedFiles<</Names[(%b) 7 0 R]>>>>/AF[7 0 R]" % name
    spec = b"<</Type/Filespec/F(%b)/UF(%b)/AFRelationship/Data/EF<</F 8 0 R>>>>" % (name, name)
    return pdf(page(catalog=catalog, o7=spec, o8=content))


def page_tree_loop() -> bytes:
    return pdf(page() | {2: b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>"})


def deep_page_tree(depth: int) -> bytes:
    objects = page()
    objects[2] = b"<</Type/Pages/Kids[10 0 R]/Count 1>>"
    for number in range(10, 10 + depth):
        objects[number] = b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (number + 1, number - 1)
    objects[10 + depth] = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf(objects)


def fanned_page_tree() -> bytes:
    """Ten levels of which each names the next ten times: ten thousand million pages."""
    objects = page() | {2: b"<</Type/Pages/Kids[10 0 R]/Count 10000000000>>"}
    for number in range(10, 20):
        following = number + 1 if number < 19 else 3
        objects[number] = b"<</Type/Pages/Kids[%b]/Count 9999>>" % (b"%d 0 R " % following * 10)
    return pdf(objects)


def outline(*marks: bytes) -> bytes:
    numbered = {f"o{number}": body for number, body in enumerate(marks, 8)}
    return pdf(page(catalog=b"/Outlines 7 0 R", o7=b"<</First 8 0 R/Last 8 0 R>>", **numbered))


def deep_outline() -> bytes:
    return outline(*(b"<</Title(%d)/First %d 0 R/Last %d 0 R>>" % (n, n + 1, n + 1) for n in range(8, 4_000)))


def long_outline() -> bytes:
    return outline(*(b"<</Title(%d)/Next %d 0 R>>" % (n, n + 1) for n in range(8, 50_000)))


def form(fields: bytes, **more: bytes) -> bytes:
    return pdf(page(catalog=b"/AcroForm<</Fields[%b]>>" % fields, **more))


def many_fields(count: int) -> bytes:
    field = b"<</FT/Tx/T(a)/V(42.00)/Rect[0 0 9 9]/Subtype/Widget>>"
    return form(field * count)


def deep_fields() -> bytes:
    numbered = {f"o{n}": b"<</T(a)/Kids[%d 0 R]/Parent %d 0 R>>" % (n + 1, n - 1) for n in range(7, 3_000)}
    return form(b"7 0 R", **numbered)


def xfa() -> bytes:
    template = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xdp>&e;</xdp>'
    catalog = b"/AcroForm<</Fields[]/XFA[(template) 7 0 R (datasets) 7 0 R]>>"
    return pdf(page(catalog=catalog, o7=stream(template)))


def annotations(count: int) -> bytes:
    note = b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(x)/Popup 7 0 R/IRT 7 0 R>>"
    return pdf(page(entries=b"/Annots[" + b"7 0 R " * count + b"]", o7=note))


def deep_catalog(opening: bytes, closing: bytes, depth: int = DEEP) -> bytes:
    return pdf(page(catalog=b"/A" + opening * depth + b"1" + closing * depth))


def reference_chain() -> bytes:
    """Ten thousand references to references in front of the content."""
    objects = page() | {n: b"%d 0 R" % (n + 1) for n in range(7, 10_007)} | {10_007: stream(b"")}
    objects[3] = objects[3].replace(b"/Contents 4 0 R", b"/Contents[4 0 R 7 0 R]")
    return pdf(objects)


def contents(array: bytes) -> bytes:
    objects = page()
    objects[3] = objects[3].replace(b"/Contents 4 0 R", b"/Contents[%b]" % array)
    return pdf(objects)


FAMILIES = {
    "page tree loop": Family(page_tree_loop, REPAIRED | SPENT),
    "page tree of 3,000 levels": Family(lambda: deep_page_tree(3_000), REPAIRED | SPENT, says=""),
    "page tree of 30 levels": readable(lambda: deep_page_tree(30)),
    "page tree that fans out": Family(fanned_page_tree, REPAIRED | SPENT | {"too_many_pages"}),
    "page that is its own parent": readable(lambda: pdf(page(entries=b"/Parent 3 0 R"))),
    "100,000 pages": Family(lambda: many_pages(100_000), frozenset({"too_many_pages"})),
    "200,000 pages": Family(lambda: many_pages(200_000), frozenset({"too_many_pages"})),
    "2,001 pages": Family(lambda: many_pages(2_001), frozenset({"too_many_pages"})),
    "2,000 pages": Family(lambda: many_pages(2_000), HEAVY),
    "count of two billion": Family(
        lambda: pdf(page() | {2: b"<</Type/Pages/Kids[3 0 R]/Count 2000000000>>"}),
        REPAIRED | SPENT | {"too_many_pages"},
    ),
    "count of minus one": Family(lambda: pdf(page() | {2: b"<</Type/Pages/Kids[3 0 R]/Count -1>>"}), REPAIRED),
    "kids that are numbers": Family(
        lambda: pdf(page() | {2: b"<</Type/Pages/Kids[1 2 3]/Count 3>>"}), REPAIRED, says=""
    ),
    "outline loop": readable(lambda: outline(b"<</Title(a)/Next 8 0 R/First 8 0 R>>")),
    "outline of two that name each other": readable(
        lambda: outline(b"<</Title(a)/Next 9 0 R>>", b"<</Title(b)/First 8 0 R>>")
    ),
    "outline of 4,000 levels": readable(deep_outline),
    "outline of 50,000 marks": readable(long_outline),
    "name tree loop": Family(
        lambda: pdf(page(catalog=b"/Names<</EmbeddedFiles 7 0 R>>", o7=b"<</Kids[7 0 R 7 0 R]>>")), TEXT | SPENT
    ),
    "page labels loop": readable(lambda: pdf(page(catalog=b"/PageLabels 7 0 R", o7=b"<</Kids[7 0 R]>>"))),
    "structure tree loop": readable(
        lambda: pdf(page(catalog=b"/StructTreeRoot 7 0 R/MarkInfo<</Marked true>>", o7=b"<</K 7 0 R/P 7 0 R>>"))
    ),
    "form field loop": readable(lambda: form(b"7 0 R", o7=b"<</T(a)/Kids[7 0 R]/Parent 7 0 R>>")),
    "form field that is its own kid's kid": readable(
        lambda: form(b"7 0 R", o7=b"<</T(a)/Kids[8 0 R]>>", o8=b"<</T(b)/Kids[7 0 R]/Parent 7 0 R>>")
    ),
    "form of 3,000 levels": Family(deep_fields, HEAVY),
    "form of 200,000 fields": Family(lambda: many_fields(200_000), HEAVY),
    "form of no fields": readable(lambda: pdf(page(catalog=b"/AcroForm 9"))),
    "xfa form with an external entity": readable(xfa, hides="root:"),
    "100,000 annotations": Family(lambda: annotations(100_000), HEAVY),
    "array of 50,000 levels": Family(lambda: pdf(page(o7=b"[" * DEEP + b"]" * DEEP)), HEAVY | DAMAGED),
    "array of 50,000 levels in the catalog": Family(lambda: deep_catalog(b"[", b"]"), HEAVY | DAMAGED),
    "dictionary of 50,000 levels in the catalog": Family(lambda: deep_catalog(b"<</A ", b">>"), HEAVY | DAMAGED),
    "dictionary of 400 levels in the catalog": Family(lambda: deep_catalog(b"<</A ", b">>", 400), TEXT | DAMAGED),
    "string of 8 MiB": readable(lambda: pdf(page(catalog=b"/A(" + b"x" * (8 << 20) + b")"))),
    "strings that never close": Family(lambda: pdf(page(catalog=b"/A(" + b"(" * DEEP)), REPAIRED | SPENT, says=""),
    "name of a million characters": Family(lambda: pdf(page(catalog=b"/" + b"n" * 1_000_000 + b" 1")), TEXT | DAMAGED),
    "100,000 objects": readable(lambda: pdf(page() | dict.fromkeys(range(10, 100_000), b"null"))),
    "references to references": readable(reference_chain),
    "content in 20,000 pieces": Family(lambda: contents(b"4 0 R " * 20_000), HEAVY),
    "content that is its own array": Family(lambda: contents(b"4 0 R 9 0 R]/Z[9 0 R"), TEXT),
}
