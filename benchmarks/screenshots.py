"""Pictures of the real window, after real runs, into docs/images.

python benchmarks/screenshots.py [--out docs/images]
"""

from __future__ import annotations

import argparse
import os
import tempfile

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["DDIM_STUDIO_HOME"] = os.environ["HF_HOME"] = tempfile.mkdtemp()

from pathlib import Path

from PySide6.QtWidgets import QApplication, QSlider

from ddim_studio.gui.app import create_window
from ddim_studio.gui.image_source import bundled_samples, from_file, from_seed
from ddim_studio.gui.main_window import MainWindow
from ddim_studio.jobs.matrix import Place
from eventloop import pause, wait

FASHION = Path("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
SIZES = {"": (1280, 800), "-small": (1000, 640)}


def settle(window: MainWindow) -> None:
    """Let every job and the drawing after it finish."""
    pause(200)
    wait(lambda: not window.controller.monitor.is_busy())
    pause(500)


def sample_page(window: MainWindow, out: Path, theme: str) -> None:
    """The Sample page in every size at the end of a run, and its terms in the middle."""
    window.set_theme(theme)
    page = window.sample
    page.panel.steps.setValue(50)
    page.panel.eta.set_value(0.0 if theme == "light" else 0.5)
    page.panel.run_button.click()
    settle(window)
    grab(window, out / f"sample-{theme}.png")
    page.stage.view_bar.set_view("terms")
    page.stage.timeline.set_following(following=False)
    page.stage.timeline.set_position(30)
    pause(200)
    window.grab().save(str(out / f"sample-terms-{theme}.png"))
    page.stage.view_bar.set_view("x")


def inversion_pages(window: MainWindow, out: Path, theme: str) -> None:
    """The Interpolate and the Invert page on bundled samples, in every size."""
    window.set_theme(theme)
    samples = {path.stem: from_file(path) for path in bundled_samples()}
    between, invert = window.interpolate, window.invert
    for page in (between, invert):
        page.panel.steps.setValue(20)
    window.navigation.pages.setCurrentRow(window.pages.index(between))
    between.give(0, samples["head-3"])
    between.give(1, samples["head-8"])
    settle(window)
    between.panel.run_button.click()
    settle(window)
    between.findChild(QSlider, "alphaSlider").setValue(500)
    settle(window)
    settle(window)  # the strip is asked for once nothing is more urgent
    grab(window, out / f"interpolate-{theme}.png")
    window.navigation.pages.setCurrentRow(window.pages.index(invert))
    invert.add([samples[name] for name in ("head-1", "head-2", "head-5", "head-7")])
    settle(window)
    invert.panel.run_button.click()
    settle(window)
    grab(window, out / f"invert-{theme}.png")
    window.navigation.pages.setCurrentRow(0)


def compare_page(window: MainWindow, out: Path, theme: str) -> None:
    """The Compare page after a matrix of η by S, in every size, and two of its cells."""
    window.set_theme(theme)
    page = window.compare
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    page.panel.rows.set_text("eta", "0, 0.5, 1, hat")
    page.panel.columns.set_text("steps", "5, 10, 20")
    page.panel.count.setValue(4)
    page.panel.run_button.click()
    settle(window)
    grab(window, out / f"compare-{theme}.png")
    page.view.matrix.set_selected(Place(0, 1))
    page.view.bar.set_view("pair")
    pause(300)
    window.grab().save(str(out / f"compare-two-{theme}.png"))
    window.navigation.pages.setCurrentRow(0)


def forward_page(window: MainWindow, out: Path, theme: str) -> None:
    """The Forward page: both ways to noise in every size, the reverse kernels, and the bound."""
    window.set_theme(theme)
    page = window.forward
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    samples = {path.stem: path for path in bundled_samples()}
    page.give(from_file(samples["head-2"]))
    settle(window)
    page.panel.run_button.click()
    settle(window)
    page.view.go_to(12)
    grab(window, out / f"forward-{theme}.png")
    page.view.bar.set_view("posterior")
    page.readout.tabs.setCurrentIndex(2)
    pause(300)
    window.grab().save(str(out / f"forward-reverse-{theme}.png"))
    page.panel.data.setText(str(samples["head-2"].parent))
    page.panel.bound_button.click()
    settle(window)
    window.grab().save(str(out / f"forward-bound-{theme}.png"))
    page.view.bar.set_view("pair")
    page.readout.tabs.setCurrentIndex(0)
    window.navigation.pages.setCurrentRow(0)


def restore_page(window: MainWindow, out: Path, theme: str) -> None:
    """The Restore page with a mask, in every size, and what four seeds made of it."""
    window.set_theme(theme)
    page = window.restore
    window.show_page(page)
    settle(window)
    page.panel.steps.setValue(50)
    page.give(from_seed(7))
    settle(window)
    page.view.bar.set_view("mask")
    page.view.editor.take_preset("centre")
    grab(window, out / f"restore-mask-{theme}.png")
    page.panel.run_button.click()
    settle(window)
    grab(window, out / f"restore-{theme}.png")
    window.navigation.pages.setCurrentRow(0)


def train_page(window: MainWindow, out: Path, theme: str) -> None:
    """The Train page with a short run on Fashion-MNIST, or else the bundled samples."""
    window.set_theme(theme)
    page = window.train
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    if page.record is None:
        page.take_path(FASHION if FASHION.exists() else bundled_samples()[0].parent)
        settle(window)
        panel = page.panel
        panel.network.network.setCurrentText("own widths")
        panel.network.own.setText("16, 32, 64")
        panel.length.unit.setCurrentText("steps")
        panel.length.amount.setValue(1000)
        panel.more.controls["batch_size"].setValue(16)
        panel.more.controls["prediction"].setCurrentText("v")
        panel.start.click()
        wait(lambda: not page.desk.is_training())
    settle(window)
    grab(window, out / f"train-{theme}.png")
    window.navigation.pages.setCurrentRow(0)


def models_page(window: MainWindow, out: Path, theme: str) -> None:
    """The Models page with samples of the bundled model, in every size."""
    window.set_theme(theme)
    page = window.models
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    settle(window)
    page.card.draw.click()
    settle(window)
    grab(window, out / f"models-{theme}.png")
    window.navigation.pages.setCurrentRow(0)


def grab(window: MainWindow, path: Path) -> None:
    """Grab the window in every size."""
    for suffix, size in SIZES.items():
        window.resize(*size)
        pause(300)
        window.grab().save(str(path.with_stem(path.stem + suffix)))
    window.resize(*SIZES[""])


def main() -> None:
    """Grab everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    window = create_window()
    window.resize(*SIZES[""])
    window.show()
    settle(window)
    for theme in ("light", "dark"):
        sample_page(window, options.out, theme)
        inversion_pages(window, options.out, theme)
        compare_page(window, options.out, theme)
        forward_page(window, options.out, theme)
        restore_page(window, options.out, theme)
        train_page(window, options.out, theme)
        models_page(window, options.out, theme)
    window.close()
    application.quit()


if __name__ == "__main__":
    main()
