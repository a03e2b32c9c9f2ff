"""Every code that a finding can have: how bad it is, what it means, and what a safe fix does."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RULES", "SEVERITIES", "Rule", "at_least"]

SEVERITIES = ("error", "warning", "note")
"""From the worst on."""


@dataclass(frozen=True)
class Rule:
    """What a code stands for.

    Attributes
    ----------
    code : str
        Stable: it does not change its meaning from one version to the next.
    severity : {"error", "warning", "note"}
        error: tools fail on it, or train and evaluate on something else than is meant; warning:
        most likely a mistake; note: good to know.
    what : str
        What was found, in a sentence.
    fix : str
        What `fix_coco` does about it, and why nothing is lost; empty if that needs a person.
    """

    code: str
    severity: str
    what: str
    fix: str = ""


_ERRORS = (
    ("byte-order-mark", "The file begins with a byte-order mark, which JSON forbids.",
     "The three bytes are removed; they carry nothing."),
    ("invalid-utf8", "Bytes that are not UTF-8."),
    ("not-finite", "NaN, Infinity or a number beyond float64: nothing to compute with."),
    ("duplicate-key", "An object has a key twice; parsers keep one of the values, most the last.",
     "Where both values are written the same, the second member is removed."),
    ("missing-section", "images, annotations or categories is missing, or is no list."),
    ("not-an-object", "An entry of a list that should be an object."),
    ("field-missing", "A field without which the entry can't be used."),
    ("wrong-type", "A value of another type than the field has."),
    ("number-as-string", "A number in quotes.",
     "The quotes are removed; the number stays as written."),
    ("duplicate-image-id", "Two images have one id."),
    ("duplicate-annotation-id", "Two annotations have one id: tools that index them lose one.",
     "Each later one gets the next free id. Nothing in a COCO file refers to annotations by id."),
    ("duplicate-category-id", "Two categories have one id."),
    ("annotation-id-zero",
     "An annotation has the id 0, which COCO's evaluation takes for no match.",
     "It gets the next free id. Nothing in a COCO file refers to annotations by id."),
    ("dangling-image-id", "An image_id that no image has."),
    ("dangling-category-id", "A category_id that no category has."),
    ("image-size-invalid", "A width or height that is not a whole number above 0."),
    ("bbox-missing", "No bbox, or null.",
     "Where the mask is sound, the box around it is added; there was none to lose."),
    ("bbox-format", "A bbox that is not a list of four numbers."),
    ("bbox-zero-size", "A box without width or height."),
    ("bbox-negative-size", "A box with a negative width or height."),
    ("bbox-outside-image", "A box that does not touch its image."),
    ("bbox-convention", "Most boxes only make sense as corners, or as shares of the image."),
    ("area-invalid", "A negative area, or zero where there is a box."),
    ("segmentation-format", "A segmentation that is neither a list of polygons nor run lengths."),
    ("polygon-not-nested", "A polygon that is not in a list of polygons.",
     "Brackets are put around it; read as one polygon, it has only one meaning."),
    ("polygon-odd-length", "A polygon with an odd count of numbers: one of them is missing."),
    ("polygon-too-short", "A polygon of fewer than three points."),
    ("rle-malformed", "Run lengths that can't be read."),
    ("rle-size-mismatch", "A mask of another size than its image."),
    ("rle-count-mismatch", "Run lengths that do not add up to the size of the mask."),
    ("iscrowd-invalid", "An iscrowd that is neither 0 nor 1.",
     "true becomes 1 and false 0."),
    ("image-file-missing", "An image that is not in the folder."),
    ("image-file-unreadable", "An image file that can't be decoded."),
    ("image-size-differs", "An image file of another size than the record says."),
    ("leak-file-name", "An image of one split has the file name of one of the other."),
    ("leak-image-content", "An image file of one split has the bytes of one of the other."),
    ("score-invalid", "A score that is not a number in [0, 1]."),
)  # fmt: skip
_WARNINGS = (
    ("id-not-integer", "An id that is text or has a decimal point; many tools need integers.",
     "Text or a decimal that spells an integer becomes that integer, unless another has it."),
    ("duplicate-file-name", "Two images have one file name."),
    ("file-name-unsafe", "A file name that leads out of the folder of images."),
    ("bbox-exceeds-image", "A box that reaches out of its image."),
    ("area-missing", "No area; COCO's evaluation by size needs it.",
     "The area of a plain mask is added, or of the box where there is no mask."),
    ("area-mismatch", "An area that contradicts the mask, or is larger than the box."),
    ("segmentation-empty", "No mask, where other annotations have one."),
    ("polygon-empty-part", "A part of a mask with no point, or with one.",
     "It is removed where other parts stay; it covers nothing."),
    ("polygon-no-area", "A polygon that covers nothing."),
    ("polygon-exceeds-image", "A polygon that reaches out of its image."),
    ("bbox-mask-mismatch", "A box that is not around its mask."),
    ("crowd-with-polygon", "A crowd region given as polygons; COCO gives it as run lengths."),
    ("exact-duplicate", "An annotation with image, category, box and mask of an earlier one.",
     "Where all else but the id is the same too, the later one is removed."),
    ("near-duplicate", "Two boxes of one category that are nearly the same."),
    ("same-box-two-categories", "Two boxes of different categories that are nearly the same."),
    ("duplicate-category-name", "Two categories have one name, but for case and spaces."),
    ("image-content-duplicate", "Two image files with the same bytes."),
    ("leak-image-id", "An image of one split has id and size of one of the other."),
    ("duplicate-prediction", "The same box with the same category and score twice."),
)  # fmt: skip
_NOTES = (
    ("iscrowd-missing", "No iscrowd; it is taken for 0.",
     "Where other annotations have it, 0 is added unless there are run lengths."),
    ("polygon-crosses-itself", "A polygon with edges that cross."),
    ("polygon-not-searched", "A polygon with too many points to look for edges that cross."),
    ("rle-without-crowd", "Uncompressed run lengths of one object; COCO gives it as polygons."),
    ("category-unused", "A category without annotations."),
    ("class-imbalance", "The most frequent category has over 100 times as many annotations."),
    ("image-without-annotations", "An image without annotations."),
    ("image-file-unlisted", "Image files in the folder that the file does not list."),
    ("image-without-predictions", "An image with annotations, but no predictions."),
    ("too-many-predictions", "An image with over 100 predictions; COCO's evaluation uses 100."),
)  # fmt: skip

RULES: dict[str, Rule] = {
    code: Rule(code, severity, *words)
    for severity, rules in zip(SEVERITIES, (_ERRORS, _WARNINGS, _NOTES), strict=True)
    for code, *words in rules
}
"""Every rule by its code."""


def at_least(severity: str) -> tuple[str, ...]:
    """Return this severity and the worse ones.

    Examples
    --------
    >>> at_least("warning")
    ('error', 'warning')
    """
    return SEVERITIES[: SEVERITIES.index(severity) + 1]
