#!/usr/bin/env python3
"""Makes vietnam.json of the paths of the npm package @svg-maps/vietnam.

    npm pack @svg-maps/vietnam@2.0.0 && tar xzf svg-maps-vietnam-2.0.0.tgz
    python3 shapes.py package/vietnam.svg > vietnam.json        (needs shapely 2.2 or later)

Neighbours of the package do not share the points of their border. This program closes gaps and overlaps, simplifies
the borders and puts every point on a grid, so that two neighbours have the same edges and a union of provinces has an
outline. Islands smaller than a point are drawn as large as one.
"""

import json
import re
import sys
from xml.etree import ElementTree

import shapely

ISLANDS = ("hoangsa", "truongsa")
# The narrowest gap that is a border and no water, and how far a border may move, in units of the map's 812 × 873.
GAP, TOLERANCE = 1.0, 0.7
# The grid has 4 points a unit.
GRID = 4
TOKEN = re.compile(r"[a-zA-Z]|-?\d*\.?\d+(?:e-?\d+)?")
VALUES = {"m": 2, "l": 2, "c": 6}


def rings(path):
    """The corners of each part of a path. A curve of these paths is so short that its end is enough."""
    tokens, at, found, x, y, start, command = TOKEN.findall(path), 0, [], 0.0, 0.0, (0.0, 0.0), ""
    while at < len(tokens):
        if tokens[at].isalpha():
            command, at = tokens[at], at + 1
        if command in "zZ":
            x, y = start
            continue
        many = VALUES[command.lower()]
        values = [float(token) for token in tokens[at : at + many]]
        at += many
        dx, dy = (x, y) if command.islower() else (0.0, 0.0)
        x, y = dx + values[-2], dy + values[-1]
        if command in "mM":
            start = (x, y)
            found.append([])
            command = "l" if command == "m" else "L"
        found[-1].append((x, y))
    return found


def area(corners):
    return shapely.make_valid(shapely.Polygon(corners)) if len(corners) > 2 else shapely.Polygon()


def island(corners):
    """The hull of an island, at least as large as a point."""
    hull = shapely.MultiPoint(corners).convex_hull
    return hull if hull.area > 3 else hull.centroid.buffer(1.1, quad_segs=2)


def snapped(geometry):
    """The rings of a geometry on the grid, without those that vanish."""
    found = []
    for polygon in shapely.get_parts(geometry):
        if polygon.geom_type != "Polygon":
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            points = []
            for x, y in ring.coords:
                point = (round(x * GRID), round(y * GRID))
                if not points or points[-1] != point:
                    points.append(point)
            if points[0] == points[-1]:
                points.pop()
            if len(points) > 2:
                found.append([value for point in points for value in point])
    return found


def main(file):
    root = ElementTree.parse(file).getroot()
    paths = {node.get("id"): rings(node.get("d")) for node in root.iter("{http://www.w3.org/2000/svg}path")}
    land = [key for key in paths if key not in ISLANDS]
    areas = [shapely.union_all([area(ring) for ring in paths[key]]) for key in land]
    # A larger grid first: the coordinates of the package have up to 8 digits.
    areas = shapely.buffer(shapely.set_precision(areas, 0.02), 0)
    areas = shapely.coverage_clean(areas, gap_width=GAP, snapping_distance=0.05)
    areas = shapely.coverage_simplify(areas, TOLERANCE)
    shapes = [{"id": key, "rings": snapped(area)} for key, area in zip(land, areas)]
    for key in ISLANDS:
        shapes.append({"id": key, "rings": snapped(shapely.union_all([island(ring) for ring in paths[key]]))})
    for shape in shapes:
        whole = shapely.union_all([area(list(zip(r[::2], r[1::2]))) for r in shape["rings"]])
        middle = whole.representative_point()
        shape["middle"] = [round(middle.x), round(middle.y)]
        shape["rings"] = [" ".join(map(str, ring)) for ring in shape["rings"]]
    shapes.sort(key=lambda shape: shape["id"])
    print('{\n  "grid": %d,\n  "width": 812,\n  "height": 873,\n  "shapes": [' % GRID)
    print(",\n".join("    " + json.dumps(shape) for shape in shapes))
    print("  ]\n}")


main(sys.argv[1])
