"""Figures of classes by scikit-learn, of random rows: `python classes.py > classes.json`."""

import json

import numpy as np
import sklearn
from sklearn import metrics

random = np.random.default_rng(0)
NAMES = ["precision", "recall", "f1"]
FIGURES = [metrics.precision_score, metrics.recall_score, metrics.f1_score]
THRESHOLDS = [0.1, 0.25, 0.5, 0.75, 0.9]


def floats(array):
    return np.asarray(array, np.float64).tolist()


def of_classes(t, found, **how):
    return {
        name: floats(figure(t, found, zero_division=0, **how))
        for name, figure in zip(NAMES, FIGURES)
    }


def classes(rows, count, missing=()):
    """Rows of scores, of which the largest tells the class; none is truly of a missing class."""
    scores = random.normal(size=(rows, count)).astype(np.float32)
    known = [c for c in range(count) if c not in missing]
    t = random.choice(known, size=rows)
    scores[np.arange(rows), t] += 1
    found = scores.argmax(1)
    return {
        "scores": floats(scores),
        "t": t.tolist(),
        "classes": of_classes(t, found, average=None, labels=range(count)),
        "macro": of_classes(t, found, average="macro"),
        "weighted": of_classes(t, found, average="weighted"),
        "counts": metrics.confusion_matrix(t, found, labels=range(count)).tolist(),
    }


def shares(rows, digits):
    """Rows of a probability with so many digits, so that some are equal."""
    t = random.integers(0, 2, rows)
    scores = np.round(random.beta(2 + 2 * t, 4 - 2 * t), digits).astype(np.float32)
    false, true, _ = metrics.roc_curve(t, scores, drop_intermediate=False)
    precision, recall, thresholds = metrics.precision_recall_curve(t, scores)
    p, r = precision[:-1], recall[:-1]
    f1 = np.divide(2 * p * r, p + r, out=np.zeros_like(p), where=p + r > 0)
    at = [of_classes(t, scores >= np.float32(threshold)) for threshold in THRESHOLDS]
    return {
        "scores": floats(scores),
        "t": t.tolist(),
        "auc": metrics.roc_auc_score(t, scores),
        "average_precision": metrics.average_precision_score(t, scores),
        "roc": floats(np.stack([false, true], 1)),
        "precision_recall": floats(np.stack([recall, precision], 1)[::-1]),
        "best_f1": {"threshold": float(thresholds[f1.argmax()]), "f1": float(f1.max())},
        "thresholds": [dict(figures, threshold=t) for t, figures in zip(THRESHOLDS, at)],
    }


print(
    json.dumps(
        {
            "about": "figures of classes, by classes.py",
            "sklearn": sklearn.__version__,
            "classes": [classes(60, 3), classes(40, 5, missing=[1, 4])],
            "shares": [shares(80, 2), shares(50, 7)],
        }
    )
)
