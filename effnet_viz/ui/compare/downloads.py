"""Saving the comparison."""

from __future__ import annotations

from effnet_viz.pictures import report
from effnet_viz.ui import results
from effnet_viz.ui.compare.view import ComparisonView
from effnet_viz.ui.layout.downloads import offer_file, open_to_save


def show_downloads(view: ComparisonView) -> None:
    """Everything as a table and as a page that opens without a server."""
    if save := open_to_save("Save the comparison", "comparison"):
        compared, image = view.comparison, view.image
        picture = results.display_image(image).picture
        table = report.comparison_csv(compared)
        page = report.comparison_html(compared, picture, image.title)
        offer_file(save, "Table (CSV)", table, "comparison.csv", "text/csv")
        label = "Page that opens without a server (HTML)"
        offer_file(save, label, page, "comparison.html", "text/html")
