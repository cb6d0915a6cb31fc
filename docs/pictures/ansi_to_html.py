"""Turns what tmux captured of a terminal into a page, and prints the window size that it fits into."""

import html
import re
import sys

COLOURS = {
    30: "#6e7681", 31: "#ff7b72", 32: "#56d364", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff",
    36: "#56d4dd", 37: "#c9d1d9",
}
PAGE = """<!doctype html><meta charset="utf-8"><style>
html, body {{ margin: 0; background: #0d1117; }}
pre {{ margin: 0; padding: 16px 20px; color: #c9d1d9; font: 14px/20px "DejaVu Sans Mono", monospace; }}
</style><pre>{}</pre>
"""
COLUMN, ROW = 8.43, 20


def styled(text):
    """The text of one line as HTML; the style carries over from line to line."""
    out, style = [], styled.style
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        codes = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if not codes:
            css = ";".join(style.values())
            out.append(f'<span style="{css}">{html.escape(part)}</span>' if css and part else html.escape(part))
            continue
        for code in (int(code or 0) for code in codes[1].split(";")):
            if code == 0:
                style.clear()
            elif code == 1:
                style["bold"] = "font-weight:bold"
            elif code == 2:
                style["dim"] = "opacity:.6"
            elif code == 22:
                style.pop("bold", None)
                style.pop("dim", None)
            elif code == 39:
                style.pop("colour", None)
            elif code in COLOURS or code - 60 in COLOURS:
                style["colour"] = "color:" + COLOURS.get(code, COLOURS.get(code - 60))
    return "".join(out)


styled.style = {}


def main(source, page):
    with open(source, encoding="utf-8") as file:
        text = re.sub(r"\x1b\(B|\x0f", "", file.read()).rstrip("\n")
    lines = text.split("\n")
    with open(page, "w", encoding="utf-8") as file:
        file.write(PAGE.format("\n".join(styled(line.rstrip()) for line in lines)))
    columns = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip()) for line in lines)
    print(f"{int(columns * COLUMN) + 40},{len(lines) * ROW + 32}")


if __name__ == "__main__":
    main(*sys.argv[1:])
