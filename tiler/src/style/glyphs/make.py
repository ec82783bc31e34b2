#!/usr/bin/env python3
"""Draws the letters of the legend pictures: glyphs.png (grey, all in one line) and glyphs.json (their widths).

usage: make.py DejaVuSans.ttf     (Pillow 10 or newer)
"""
import json
import sys
import unicodedata

from PIL import Image, ImageDraw, ImageFont

SIZE = 14
ROOM = 2  # above the font's own ascent, for two marks on a capital
ascii_ = [chr(c) for c in range(0x20, 0x7F)]
marks = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]
vowels = [unicodedata.normalize("NFC", v + m) for v in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" for m in marks]
letters = sorted(set(ascii_ + vowels + list("đĐ–—°±²³≤≥·…×µ−")))
font = ImageFont.truetype(sys.argv[1], SIZE, layout_engine=ImageFont.Layout.BASIC)
ascent, descent = font.getmetrics()
widths = [round(font.getlength(letter)) for letter in letters]
picture = Image.new("L", (sum(widths), ROOM + ascent + descent), 0)
x = 0
for letter, width in zip(letters, widths):
    cell = Image.new("L", (width, ROOM + ascent + descent), 0)
    ImageDraw.Draw(cell).text((0, ROOM), letter, font=font, fill=255)
    picture.paste(cell, (x, 0))
    x += width
picture = picture.point(lambda v: (v + 8) // 17 * 17)  # 16 greys
picture.save("glyphs.png", optimize=True)
with open("glyphs.json", "w", encoding="utf-8") as out:
    json.dump({"letters": "".join(letters), "widths": widths}, out, ensure_ascii=False)
    out.write("\n")
