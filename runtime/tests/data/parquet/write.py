"""Writes the tables in this folder, and what pyarrow reads of them: python write.py"""

import datetime as dt
import json
import uuid
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
ROWS = 23
UTC = dt.timezone.utc


def with_holes(values, every=4):
    return [None if row % every == 1 else value for row, value in enumerate(values)]


def types():
    rows = range(ROWS)
    moments = [dt.datetime(1969, 12, 30, 22, 58, 1) + dt.timedelta(days=row) for row in rows]
    after = lambda row, **more: moments[row] + dt.timedelta(**more)
    exact = [after(row, milliseconds=250 * (row % 3)) for row in rows]
    fine = [after(row, microseconds=row) for row in rows]
    words = ["red", "green", "", "a, \"b\"", "grün"]
    columns = {
        "id": pa.array([2**53 + 1 + row for row in rows], pa.int64()),
        "byte": pa.array(with_holes([row - 11 for row in rows]), pa.int8()),
        "u32": pa.array([2**32 - 1 - row for row in rows], pa.uint32()),
        "u64": pa.array([2**64 - 1 - row for row in rows], pa.uint64()),
        "half": pa.array([np.float16(row / 8) for row in rows], pa.float16()),
        "single": pa.array(with_holes([row / 10 - 1 for row in rows]), pa.float32()),
        "double": pa.array([1e300 / 7**row for row in rows], pa.float64()),
        "truth": pa.array(with_holes([row % 3 == 0 for row in rows], 5), pa.bool_()),
        "word": pa.array(with_holes([words[row % 5] for row in rows], 7), pa.string()),
        "kind": pa.array([words[row % 2] for row in rows]).dictionary_encode(),
        "bytes": pa.array([b"b%d" % row for row in rows], pa.binary()),
        "price": pa.array([Decimal(row - 9).scaleb(-2) for row in rows], pa.decimal128(7, 2)),
        "large": pa.array(with_holes([Decimal(row - 9) * 10**27 - 1 for row in rows]),
                          pa.decimal128(38, 0)),
        "day": pa.array(with_holes([moment.date() for moment in moments]), pa.date32()),
        "time": pa.array([moment.time() for moment in fine], pa.time64("us")),
        "ms": pa.array(exact, pa.timestamp("ms")),
        "us": pa.array(with_holes(fine), pa.timestamp("us")),
        "utc": pa.array([moment.replace(tzinfo=UTC) for moment in exact],
                        pa.timestamp("us", tz="UTC")),
        "uuid": pa.array([uuid.UUID(int=row * 2**100 + row).bytes for row in rows], pa.uuid()),
        "empty": pa.array([None] * ROWS, pa.int32()),
    }
    return pa.table(columns)


def places(time):
    """None, three or six decimal places of a second."""
    if time.microsecond % 1000:
        return "microseconds"
    return "milliseconds" if time.microsecond else "seconds"


def text(value):
    """A value as the field of a table; nothing where it is missing."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case bytes():
            return value.decode()
        case Decimal():
            return f"{value:f}"
        case dt.datetime():
            return value.isoformat(" ", places(value))
        case dt.time():
            return value.isoformat(places(value))
        case _:
            return str(value)


def write(name, table, **how):
    path = HERE / f"{name}.parquet"
    pq.write_table(table, path, **how)
    return path


def main():
    table = types()
    path = write("types", table, row_group_size=9, compression="snappy")
    read = pq.read_table(path)
    rows = [[text(value) for value in row.values()] for row in read.to_pylist()]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    names = json.dumps(read.column_names)
    (HERE / "types.json").write_text(f'{{"names": {names},\n"rows": [\n{lines}\n]}}\n')

    # The same numbers and words, written in other ways.
    few = table.select(["id", "single", "word", "truth", "double"])
    write("plain", few, compression="none", use_dictionary=False, data_page_version="2.0")
    write("gzip", few, compression="gzip", row_group_size=7, write_page_checksum=True)
    write("zstd", few, compression="zstd", data_page_version="2.0", data_page_size=32,
          write_batch_size=4)
    write("split", few, compression="snappy", use_dictionary=False, column_encoding={
        "id": "DELTA_BINARY_PACKED", "single": "BYTE_STREAM_SPLIT",
        "word": "DELTA_LENGTH_BYTE_ARRAY", "truth": "RLE", "double": "PLAIN"})
    write("old", pa.table({"x": [1, 2], "at": table["us"][2:4]}),
          use_deprecated_int96_timestamps=True, version="1.0")

    write("long", pa.table({"word": ["a" * 100_000]}), compression="gzip", use_dictionary=False,
          write_statistics=False)

    # What is not read.
    one = few.select(["word"])
    write("brotli", one, compression="brotli")
    write("prefixes", one, use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
    write("nested", pa.table({
        "x": [1.5, 2.5],
        "tags": [["a", "b"], []],
        "point": [{"x": 1, "y": 2}, {"x": 3, "y": None}],
        "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int32())),
        "t": ["no", "yes"],
    }))


main()
