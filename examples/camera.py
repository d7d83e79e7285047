"""A camera's picture with another background, live: ``python examples/camera.py [BACKGROUND] [--camera N]``.

Needs OpenCV with windows (pip install opencv-python). Draw a box with the mouse to say who or what is followed, press
space to let it be found anew, q to end.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

import alphacut
from alphacut.cutout import cover


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("background", nargs="?", default="blur", help="a colour, a picture or blur")
    parser.add_argument("--camera", type=int, default=0)
    parser.add_argument("--film", help="a file instead of the camera")
    given = parser.parse_args()
    source = cv2.VideoCapture(given.film if given.film else given.camera)
    track = alphacut.Tracker()
    corners: list[tuple[int, int]] = []
    prompt: dict[str, object] = {}

    def mouse(event: int, x: int, y: int, *_: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN:
            corners[:] = [(x, y)]
        elif event == cv2.EVENT_LBUTTONUP and corners:
            (left, right), (top, bottom) = sorted((corners[0][0], x)), sorted((corners[0][1], y))
            if right > left and bottom > top:
                prompt["box"] = left, top, right - left, bottom - top
            corners.clear()

    cv2.namedWindow("alphacut")
    cv2.setMouseCallback("alphacut", mouse)
    behind = None
    while True:
        got, bgr = source.read()
        if not got:
            break
        frame = np.ascontiguousarray(bgr[..., ::-1])
        if behind is None:
            named = "." in given.background  # a file, scaled once
            behind = cover(given.background, *frame.shape[:2]) if named else given.background
        start = time.perf_counter()
        cutout = track(frame, **prompt)
        ms = 1000 * (time.perf_counter() - start)
        prompt.clear()
        shown = np.ascontiguousarray(cutout.on(behind)[..., ::-1])
        cv2.putText(shown, f"{ms:.0f} ms, {cutout.verdict}", (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 255, 0), 2)
        cv2.imshow("alphacut", shown)
        key = cv2.waitKey(1)
        if key == ord("q"):
            break
        if key == ord(" "):
            track.reset()
    source.release()


if __name__ == "__main__":
    main()
