#!/usr/bin/env python3
"""Makes the screens and the recording of docs/CONSOLE.md, from the real program against a real cluster.

    docs/console/record.py [--orderflow PROGRAM] [--only screens|cast]

Needs tmux and nothing else. It starts a cluster of its own in a directory of its own, plays what `tour.py` says, and
writes screens/*.txt, screens/*.svg and first-order.cast beside this file. What it has started ends with it.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
sys.path.insert(0, str(HERE))

# How long something may take to stand on a screen, in seconds.
SCREEN_MAX = 30
# A pause of the person in a recording, in seconds.
LOOKS = 1.2

# The sixteen colours of a terminal, as the pictures show them; the others are computed.
ANSI = [
    "#1e2127", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf",
    "#5c6370", "#ff7b86", "#b5e08d", "#ffd787", "#7cc4ff", "#dd90f5", "#6fd3df", "#ffffff",
]
TEXT, GROUND = "#d7dae0", "#16181d"


class Cluster:
    """A cluster in a directory of its own, and commands to it."""

    def __init__(self, program):
        self.program = program
        self.dir = Path(tempfile.mkdtemp(prefix="orderflow-record-"))
        self.dir.chmod(0o711)  # The account of PostgreSQL has to get through.
        home = self.dir / "home"
        home.mkdir()
        keep = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        self.environment = {**keep, "ORDERFLOW_DATA_DIR": str(self.dir / "data")}
        self.tmux_socket = str(self.dir / "tmux")

    def __enter__(self):
        self.run("up", "--detach", "--any-port", "--lab", "--timeout", "60s")
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.tmux_socket, "kill-server"], stderr=subprocess.DEVNULL, check=False)
        subprocess.run([self.program, "down"], env=self.environment, capture_output=True, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *words):
        """A command; what it writes."""
        ran = subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.exit(f"orderflow {' '.join(words)}: {ran.stderr}")
        return ran.stdout

    def json(self, *words):
        """A command; the document that it writes."""
        return json.loads(self.run(*words, "-o", "json"))


class Console:
    """`orderflow tui` in tmux."""

    def __init__(self, cluster, words, size, cast=None):
        self.cluster, (self.columns, self.rows) = cluster, size
        command = " ".join([cluster.program, "tui", "--scenarios", str(REPO / "examples/chaos"), *words])
        self.tmux("new-session", "-d", "-s", "c", "-x", str(self.columns), "-y", str(self.rows), "sleep 1000000")
        if cast:
            stamp = f"{sys.executable} {HERE / 'record.py'} --stamp {cast} --size {self.columns}x{self.rows}"
            self.tmux("pipe-pane", "-O", "-t", "c", stamp)
        self.tmux("respawn-pane", "-k", "-t", "c", command)

    def tmux(self, *words):
        command = ["tmux", "-S", self.cluster.tmux_socket, "-f", "/dev/null", *words]
        ran = subprocess.run(command, env=self.cluster.environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.exit(f"tmux {' '.join(words)}: {ran.stderr}")
        return ran.stdout

    def keys(self, *keys):
        """Keys by tmux's names, as `Enter`, `F5`, `C-t`."""
        for key in keys:
            self.tmux("send-keys", "-t", "c", key)
            time.sleep(0.15)

    def types(self, text):
        """Letters, one after the other, as a person does."""
        for letter in text:
            self.tmux("send-keys", "-t", "c", "-l", letter)
            time.sleep(0.06)

    def sees(self, text):
        """Waits until this stands on the screen."""
        until = time.monotonic() + SCREEN_MAX
        while text not in (screen := self.text()):
            if time.monotonic() > until:
                sys.exit(f"'{text}' does not come:\n{screen}")
            time.sleep(0.1)

    def looks(self, times=1):
        """The person looks at what there is."""
        time.sleep(LOOKS * times)

    def text(self):
        return self.tmux("capture-pane", "-p", "-t", "c")

    def shoot(self, name):
        """Writes the screen as text and as a picture."""
        screens = HERE / "screens"
        screens.mkdir(exist_ok=True)
        lines = [line.rstrip() for line in self.text().rstrip("\n").split("\n")]
        (screens / f"{name}.txt").write_text("\n".join(lines) + "\n")
        coloured = self.tmux("capture-pane", "-p", "-e", "-t", "c")
        (screens / f"{name}.svg").write_text(svg(coloured, self.columns, self.rows))
        print(f"{name}: {self.columns}x{self.rows}", file=sys.stderr)

    def close(self):
        self.tmux("kill-session", "-t", "c")


def colour(index):
    """One of the 256."""
    if index < 16:
        return ANSI[index]
    if index < 232:
        levels = [0, 95, 135, 175, 215, 255]
        index -= 16
        return "#%02x%02x%02x" % (levels[index // 36], levels[index // 6 % 6], levels[index % 6])
    grey = 8 + (index - 232) * 10
    return f"#{grey:02x}{grey:02x}{grey:02x}"


def restyle(style, codes):
    """The style after an escape sequence of colours."""
    style, codes = dict(style), list(codes)
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = {}
        elif code in (1, 2, 3, 4, 7):
            style[{1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}[code]] = True
        elif code in (38, 48) and codes:
            kind, which = codes.pop(0), "fg" if code == 38 else "bg"
            if kind == 5:
                style[which] = colour(codes.pop(0))
            else:
                style[which] = "#%02x%02x%02x" % (codes.pop(0), codes.pop(0), codes.pop(0))
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["fg"] = ANSI[code - 30 if code < 90 else code - 82]
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["bg"] = ANSI[code - 40 if code < 100 else code - 92]
        elif code in (39, 49):
            style.pop("fg" if code == 39 else "bg", None)
        elif code in (22, 23, 24, 27):
            for name in {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",)}[code]:
                style.pop(name, None)
    return style


def runs(line, style):
    """The parts of a line, each with its style. A style goes on over the end of a line: the last one comes back."""
    parts = []
    for part in re.split(r"(\x1b\[[0-9;:]*m)", line):
        if part.startswith("\x1b["):
            codes = [int(code or 0) for code in re.split("[;:]", part[2:-1])]
            style = restyle(style, codes)
        elif part:
            parts.append((part, style))
    return parts, style


def svg(screen, columns, rows):
    """A picture of a screen: a rectangle for each ground, a text for each run of letters."""
    wide, high = 8.4, 18
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * wide + 16:.0f}" height="{rows * high + 16}" '
        f'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="6" fill="{GROUND}"/>',
    ]
    last = {}
    for row, line in enumerate(screen.rstrip("\n").split("\n")[:rows]):
        column = 0
        parts, last = runs(re.sub(r"\x1b[()].", "", line), last)
        for text, style in parts:
            fg, bg = style.get("fg", TEXT), style.get("bg")
            if style.get("reverse"):
                fg, bg = bg or GROUND, fg
            x, y, width = 8 + column * wide, 8 + row * high, len(text) * wide
            if bg:
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{high}" fill="{bg}"/>')
            if text.strip():
                more = ' font-weight="bold"' if style.get("bold") else ""
                more += ' opacity="0.6"' if style.get("dim") else ""
                more += ' text-decoration="underline"' if style.get("underline") else ""
                more += ' font-style="italic"' if style.get("italic") else ""
                out.append(
                    f'<text x="{x:.1f}" y="{y + 13.5}" fill="{fg}" textLength="{width:.1f}" xml:space="preserve"{more}>'
                    f"{escape(text)}</text>"
                )
            column += len(text)
    return "\n".join([*out, "</svg>", ""])


def stamp(path, size):
    """Standard input as an asciinema recording, version 2: what came, and when."""
    columns, rows = size.split("x")
    begun = time.monotonic()
    with open(path, "w", encoding="utf-8") as cast:
        cast.write(json.dumps({"version": 2, "width": int(columns), "height": int(rows), "title": "OrderFlow"}) + "\n")
        rest = b""
        while chunk := os.read(0, 65536):
            rest += chunk
            # A letter that came in halves waits for its other half.
            text = rest.decode("utf-8", errors="ignore")
            rest = b"" if len(text.encode()) == len(rest) else rest[len(text.encode()):]
            if text:
                cast.write(json.dumps([round(time.monotonic() - begun, 3), "o", text]) + "\n")
                cast.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--orderflow", default=str(REPO / "target/debug/orderflow"))
    parser.add_argument("--only", choices=["screens", "cast"])
    parser.add_argument("--stamp", help=argparse.SUPPRESS)
    parser.add_argument("--size", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stamp:
        return stamp(arguments.stamp, arguments.size)
    import tour

    for what, play in [("screens", tour.screens), ("cast", tour.cast)]:
        if arguments.only in (None, what):
            with Cluster(str(Path(arguments.orderflow).resolve())) as cluster:
                play(cluster, Console)


if __name__ == "__main__":
    main()
