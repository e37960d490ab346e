"""Event files of TensorBoard.

`python events.py > events.json` writes the bytes of some records, as hexadecimal digits, by the
classes of TensorBoard. `python events.py FOLDER` prints the scalars and texts that TensorBoard
finds below a folder.
"""

import json
import os
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c


def record(event):
    content = event.SerializeToString()
    length = struct.pack("<Q", len(content))
    check = lambda content: struct.pack("<I", masked_crc32c(content))
    return (length + check(length) + content + check(content)).hex()


def scalar(tag, value):
    return summary_pb2.Summary.Value(tag=tag, simple_value=value)


def text(tag, text):
    plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name="text")
    tensor = tensor_pb2.TensorProto(dtype="DT_STRING", string_val=[text.encode()])
    tensor.tensor_shape.SetInParent()
    metadata = summary_pb2.SummaryMetadata(plugin_data=plugin)
    return summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)


def summary(time, step, values):
    summary = summary_pb2.Summary(value=values)
    return record(event_pb2.Event(wall_time=time, step=step, summary=summary))


def read(folder):
    for parent, folders, files in os.walk(folder):
        folders.sort()
        if not any("tfevents" in file for file in files):
            continue
        run = EventAccumulator(parent)
        run.Reload()
        name = os.path.relpath(parent, folder)
        for tag in sorted(run.Tags()["scalars"]):
            values = [f"{at.step}: {at.value:.4f}" for at in run.Scalars(tag)]
            print(name, tag, ", ".join(values))
        for tag in sorted(run.Tags()["tensors"]):
            for at in run.Tensors(tag):
                print(name, tag, repr(at.tensor_proto.string_val[0].decode()))


if sys.argv[1:]:
    read(sys.argv[1])
else:
    scalars = [scalar("epoch_loss", 0.25), scalar("epoch_accuracy", 0.975)]
    records = {
        "version": record(event_pb2.Event(wall_time=1.5, file_version="brain.Event:2")),
        "scalars": summary(1735689600.25, 300, scalars),
        "text": summary(2.0, 1, [text("model", "    net n {\n" * 20)]),
    }
    print(json.dumps(records, indent=1))
