"""What a job of many pictures costs, in processor time: the figures of docs/scale.md.

python -m benchmarks.scale photo 0.5       a photo of so many megapixels, one thread
python -m benchmarks.scale local 100000    rows of a list whose pictures are not there: what the driver does
python -m benchmarks.scale ray 10000       the same by way of a Ray actor
python -m benchmarks.scale actors 36       so many photos of half a megapixel, by a process, an actor and two actors
"""

import csv
import os
import resource
import sys
import tempfile
import time

import alphacut
import alphacut.batch
from alphacut.files import write_image


def tell(*given, **options):
    """Do a job, and print what each picture took of this process."""
    start = time.process_time()
    counts = alphacut.batch.remove(*given, **options)
    each = (time.process_time() - start) / counts.total()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{dict(counts)}: {each * 1e3:.2f} ms each, {peak} MB at the peak")


def photo(megapixels):
    from skimage import data

    side = (megapixels * 1e6 / 12) ** 0.5
    write_image("photo.jpg", alphacut.resize(data.chelsea(), (round(3 * side), round(4 * side))), quality=90)
    alphacut.set_num_threads(1)
    for _ in range(5):
        tell("photo.jpg")


def rows(engine, count):
    with open("list.csv", "w", newline="") as file:
        csv.writer(file).writerows([("source", "destination"), *((f"{n}.jpg", f"out/{n}.png") for n in range(count))])
    for _ in range(2):
        tell("list.csv", manifest="manifest", engine=engine, workers=1)
    size = sum(entry.stat().st_size for entry in os.scandir("manifest"))
    print(f"{size / count:.0f} bytes a row of the manifest")


def actors(count):
    """Milliseconds on the clock from picture to picture, the first six left out: those are the start."""
    from skimage import data

    os.environ["ALPHACUT_NUM_THREADS"] = "1"
    os.mkdir("photos")
    for number in range(count):
        write_image(f"photos/{number}.jpg", alphacut.resize(data.chelsea(), (612 + number % 5, 816)), quality=90)
    ways = {
        "a process": {"workers": 1},
        "an actor": {"workers": 1, "engine": "ray"},
        "two actors": {"workers": 2, "engine": "ray"},
    }
    found = {way: [] for way in ways}
    for _ in range(3):
        for way, options in ways.items():
            times = []
            with tempfile.TemporaryDirectory() as out:
                alphacut.batch.remove("photos", out, each=lambda _: times.append(time.perf_counter()), **options)  # noqa: B023
            found[way].append(1e3 * (times[-1] - times[6]) / (count - 7))
    for way, times in found.items():
        print(f"{way}: {sorted(times)[1]:.0f} ms a picture")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if sys.argv[1] == "photo":
            photo(float(sys.argv[2]))
        elif sys.argv[1] == "actors":
            actors(int(sys.argv[2]))
        else:
            rows(sys.argv[1], int(sys.argv[2]))
