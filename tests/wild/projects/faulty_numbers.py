"""Faulty losses that are not finite, or lose their digits, where they should not."""

from __future__ import annotations

import math

import numpy as np

from tests.wild.projects import (
    audio,
    embedding,
    generative,
    likelihood,
    reinforcement,
    survival,
    vision,
)
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

NONFINITE = codes("LC201 LC202 LC203 LC204 LC503")
DIGITS = codes("LC301 LC302")
FAULTY_NUMBERS = (
    Truth(
        loss=audio.scale_invariant_distortion,
        source="csteinmetz1/auraloss, issue 25",
        arguments=both("[-1, 1]", "[-1, 1]", "(B, T)"),
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="tf.reduce_sum(tf.square(y_true), axis=-1, keepdims=True)",
            trigger={"y_true": [[0.0, 0.0, 0.0, 0.0]], "y_pred": [[0.1, 0.2, -0.1, 0.3]]},
            what="the loss, run as it is: 0/0 of a silent source, in float64 as well",
            observed=math.nan,
            expected="finite",
        ),
        beside=NONFINITE | codes("LC107 LC108 LC301 LC302"),
        undeclared=True,
        why="a silent label is among the reals too",
        remark="The other two quotients have a floor, which does not help this one.",
    ),
    Truth(
        loss=likelihood.direction,
        source="graphnet-team/graphnet, pull request 82 and issue 900",
        arguments={
            "y_true": argument("unit_vector", "(B, 3)"),
            "y_pred": argument("real", "(B, 3)"),
        },
        fault=Fault(
            codes=codes("LC202 LC201"),
            severity="error",
            line="tf.math.log(tf.sinh(kappa))",
            trigger={"y_true": [[0.0, 0.0, 1.0]], "y_pred": [[0.0, 0.0, 100.0]]},
            what="the loss, against mpmath: log sinh 100 is 99.3, sinh 100 is 1.3e43",
            observed=math.inf,
            expected=-2.767293,
        ),
        beside=NONFINITE | codes("LC107 LC108 LC302"),
        undeclared=True,
        why="real labels and predictions (B, D) overflow as well",
        remark="A prediction that is certain, longer than 89, is enough.",
    ),
    Truth(
        loss=generative.signal_to_noise,
        source="kornia/kornia, kornia/losses/psnr.py of pull request 272; its NaN in "
        "megvii-model/HINet, issue 37",
        arguments=both("[0, 1]", "[0, 1]", "(B, D)"),
        fault=Fault(
            codes=codes("LC202 LC108"),
            severity="error",
            line="tf.math.log(1.0 / squares)",
            trigger={"y_true": [[0.5, 0.25]], "y_pred": [[0.5, 0.25]]},
            what="the loss of a perfect match, run as it is, in float64 as well",
            observed=math.inf,
            expected="finite",
        ),
        beside=NONFINITE | codes("LC107 LC108"),
        undeclared=True,
        why="equal reals do the same",
        remark="Two faults: infinite at a perfect match, and it rises towards it, for the ratio is "
        "a score and not a loss (LC108, a warning).",
    ),
    Truth(
        loss=reinforcement.squashed_policy,
        source="Kaixhin/spinning-up-basic, issue 2",
        arguments={
            "y_true": argument("real", "(B,)"),
            "y_pred": argument("logits", "(B, D)"),
        },
        fault=Fault(
            codes=codes("LC202 LC201"),
            severity="error",
            line="tf.math.log(1.0 - tf.square(tf.tanh(y_pred)))",
            trigger={"y_true": [0.0], "y_pred": [[10.0, 0.0]]},
            what="the loss, against mpmath: tanh 10 rounds to 1",
            observed=math.inf,
            expected=-6.644834,
        ),
        beside=NONFINITE | DIGITS | codes("LC107 LC108 LC401"),
        undeclared=True,
        why="real numbers above 9 do it too; the digits go before that",
        remark="In the ordinary range of logits; from 5 on the digits are lost (LC301, LC302).",
    ),
    Truth(
        loss=embedding.ball_distance,
        source="facebookresearch/poincare-embeddings, hype/poincare.py (whose handwritten gradient "
        "has a floor there) and issue 41",
        arguments=both("[-0.7, 0.7]", "[-0.7, 0.7]", "(B, 2)"),
        fault=Fault(
            codes=codes("LC203 LC204"),
            severity="error",
            line="tf.acosh(1.0 + 2.0 * apart / (inside * within))",
            trigger={"y_true": [[0.3, 0.2]], "y_pred": [[0.3001, 0.2]]},
            what="the first entry of the gradient of a near duplicate, where 1 + 4e-8 rounds to 1, "
            "against 2 asinh(sqrt(x / 2)) differentiated in mpmath; of equal points it is NaN",
            observed=math.inf,
            expected=2.299009,
        ),
        beside=NONFINITE | DIGITS | codes("LC103 LC105 LC107"),
        undeclared=False,
        why="the ball has to be declared: outside of it the distance is not a number",
        remark="A square of two coordinates that lies within the unit disc. Of near duplicates the "
        "loss is 0 for 2.3e-4 as well.",
    ),
    Truth(
        loss=embedding.cut_and_balance,
        source="pyg-team/pytorch_geometric, issue 3032",
        arguments={
            "y_true": argument("binary", "(B, N, N)"),
            "y_pred": argument("simplex", "(B, N, K)"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="- inside / anywhere",
            trigger={
                "y_true": np.zeros((1, 3, 3)).tolist(),
                "y_pred": [[[0.2, 0.8], [0.5, 0.5], [0.7, 0.3]]],
            },
            what="the loss of a graph without edges, run as it is: 0/0, in float64 as well",
            observed=math.nan,
            expected="finite",
        ),
        beside=NONFINITE | codes("LC107"),
        undeclared=False,
        why="shapes (B, N, N) and (B, N, K) have to be declared",
        remark="Degrees, traces and a norm that is never 0.",
    ),
    Truth(
        loss=survival.discrete_weibull,
        source="ragulpr/wtte-rnn, issue 39 (python/wtte/wtte.py)",
        arguments={
            "y_true": argument(["count", "binary"], "(B, 2)"),
            "y_pred": argument(["[0.5, 50]", "[0.5, 4]"], "(B, 2)"),
        },
        fault=Fault(
            codes=codes("LC202 LC201"),
            severity="error",
            line="tf.math.log(tf.exp(after - before) - 1.0 + SMALL)",
            trigger={"y_true": [[20.0, 1.0]], "y_pred": [[1.0, 3.0]]},
            what="the loss, against mpmath: exp(1261) overflows, its logarithm is 1261",
            observed=-math.inf,
            expected=8000.00012,
        ),
        beside=NONFINITE | DIGITS | codes("LC107 LC108"),
        undeclared=False,
        why="powers of negative numbers: both domains by column have to be declared",
        remark="In the ordinary range. At small hazards the difference from 1 keeps no digits.",
    ),
    Truth(
        loss=survival.mass_of_intervals,
        source="havakv/pycox, pycox/models/deephit.py (nll_pmf in its first version)",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("logits", "(B, C)"),
            "event": argument("binary", "(B,)", "input"),
        },
        fault=Fault(
            codes=DIGITS,
            severity="error",
            line="total - tf.reduce_sum(chosen * reached, axis=-1)",
            trigger={
                "y_true": [0.0],
                "y_pred": [[8.70088485, -7.93474853, -8.32101985]],
                "event": [0.0],
            },
            what="the loss, against itself in float64: 1 + 1.0e-7 less 1 is 0; the gradient there "
            "is 1e-7 where 0.5 is right. The median of ordinary losses is 4.2",
            observed=16.118095,
            expected=15.424444,
        ),
        beside=codes("LC103 LC107 LC206 LC503"),
        undeclared=False,
        why="the role of event has to be declared",
        remark="Cancellation inside the ordinary range of logits; the floor hides how bad it is.",
    ),
    Truth(
        loss=likelihood.evidence_of_normal,
        source="aamini/evidential-deep-learning, issue 5 (losses/continuous.py)",
        arguments={
            "y_true": argument("real", "(B, 1)"),
            "y_pred": argument("logits", "(B, 4)"),
        },
        fault=Fault(
            codes=codes("LC202 LC201"),
            severity="error",
            line="tf.math.log(math.pi / nu)",
            trigger={"y_true": [[1.0]], "y_pred": [[0.0, -200.0, 1.0, 1.0]]},
            what="the loss, against mpmath: softplus(-200) is 1.4e-87 and underflows, half the "
            "logarithm of pi over it is 100.6",
            observed=math.inf,
            expected=100.689503,
        ),
        beside=NONFINITE | DIGITS | codes("LC107 LC108 LC401"),
        undeclared=False,
        why="the split into four stands in the graph, the width of the labels does not",
        remark="The layer says softplus so that nothing can be 0, and float32 makes it 0.",
    ),
    Truth(
        loss=vision.reverse_huber,
        source="dontLoveBugs/DORN_pytorch, issue 28",
        arguments=both("positive", "positive", "(B, D)"),
        fault=Fault(
            codes=codes("LC203"),
            severity="error",
            line="(tf.square(error) + tf.square(edge)) / (2.0 * edge)",
            trigger={"y_true": [[1.0, 2.0]], "y_pred": [[1.0, 2.0]]},
            what="the first entry of the gradient of a perfect match: 0/0 in the branch that is "
            "not taken; the least loss has the gradient 0 among its one-sided ones",
            observed=math.nan,
            expected=0.0,
        ),
        beside=NONFINITE | codes("LC107"),
        undeclared=True,
        why="equal reals do the same",
        remark="The edge is a share of the largest error of the batch, which is 0 here.",
    ),
    Truth(
        loss=vision.general_robust,
        source="jonbarron/robust_loss_pytorch, robust_loss_pytorch/general.py (which keeps off "
        "both); taken up in deebuls/deep_evidential_regression_loss_pytorch, issue 3",
        arguments={
            **both("real", "real", "(B, D)"),
            "alpha": argument("[0, 2]", "(B, D)", "input"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="powers = rest / alpha * (tf.pow(tf.square(error) / rest + 1.0, alpha / 2.0)",
            trigger={"y_true": [[0.0]], "y_pred": [[1.0]], "alpha": [[2.0]]},
            what="the loss, against its limit, error squared over 2, which is what alpha 2 "
            "means; at alpha 0 it is NaN for log(1.5)",
            observed=math.nan,
            expected=0.5,
        ),
        beside=NONFINITE | DIGITS | codes("LC107"),
        undeclared=False,
        why="alpha has to be declared as an input from 0 to 2",
        remark="Both ends of a closed interval are removable singularities: 0 times infinity.",
    ),
)
