"""Losses that take a layout of their own, written anew; what each takes is in its docstring."""

import tensorflow as tf

HALF = 2  # columns of a corner
ANGLES = tf.constant([0.1 * i for i in range(1, 10)])  # nine quantiles


def _checked(tensor, width):
    if tensor.shape[-1] != width:
        raise ValueError(f"the last axis must have {width} entries, it has {tensor.shape[-1]}")


def checked_quaternion(y_true, y_pred):
    """(B, 4) for both: asked for in Python."""
    _checked(y_pred, 4)
    return 1.0 - tf.abs(tf.reduce_sum(y_true * tf.math.l2_normalize(y_pred, -1), axis=-1))


def unstacked_quaternion(y_true, y_pred):
    """(B, 4) for both: taken apart."""
    w, x, y, z = tf.unstack(y_pred, num=4, axis=-1)
    return tf.reduce_sum(tf.square(tf.stack([w, -x, -y, -z], axis=-1) - y_true), axis=-1)


def asserted_six(y_true, y_pred):
    """(B, 6) for both: an assertion of the graph, which no value depends on."""
    tf.debugging.assert_equal(tf.shape(y_pred)[-1], 6)
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def five_quarters(y_true, y_pred):
    """Predictions of four parts for each label: a value and three penalties."""
    value, *others = tf.split(y_pred, 4, axis=-1)
    size = tf.add_n([tf.square(other) for other in others])
    return tf.reduce_mean(tf.abs(y_true - value) + 0.1 * size, axis=-1)


def laplace_by_split(y_true, y_pred):
    """Predictions twice as wide as labels: places and widths."""
    place, raw = tf.split(y_pred, 2, axis=-1)
    width = 0.1 + tf.nn.softplus(raw)
    return tf.reduce_mean(tf.abs(y_true - place) / width + tf.math.log(width), axis=-1)


def masked_by_second_half(y_true, y_pred):
    """Labels twice as wide as predictions: values and which of them count."""
    value, counts = tf.split(y_true, 2, axis=-1)
    return tf.reduce_sum(counts * tf.square(value - y_pred), axis=-1)


def mixture_of_gaussians(y_true, y_pred):
    """Predictions three times as wide as labels."""
    logits, means, raw = tf.split(y_pred, 3, axis=-1)
    scale = 0.1 + tf.nn.softplus(raw)
    each = -0.5 * tf.square((y_true - means) / scale) - tf.math.log(scale)
    return -tf.reduce_logsumexp(tf.nn.log_softmax(logits) + each, axis=-1)


def corner_slices(y_true, y_pred):
    """(B, 4) for both: at 3, the last part of one would be broadcast."""
    middle, size = y_pred[..., :HALF], y_pred[..., HALF:]
    first, second = y_true[..., :HALF], y_true[..., HALF:]
    return tf.reduce_sum(tf.abs(first - (middle - size)) + tf.abs(second - (middle + size)), -1)


def overlap_by_slices(y_true, y_pred):
    """(B, 4) for both."""
    low = tf.maximum(y_true[..., :2], y_pred[..., :2])
    high = tf.minimum(y_true[..., 2:], y_pred[..., 2:])
    return 1.0 - tf.reduce_prod(tf.nn.relu(high - low), axis=-1)


def sizes_between_numbers(y_true, y_pred):
    """(B, 4) for both: of three columns, the second slice would hold one."""
    place = tf.reduce_sum(tf.square(y_true[..., 0:2] - y_pred[..., 0:2]), axis=-1)
    return place + tf.reduce_sum(tf.abs(y_true[..., 2:4] - y_pred[..., 2:4]), axis=-1)


def overlap_between_numbers(y_true, y_pred):
    """(B, 4) for both: corners, the last of them by a slice that ends at 4."""
    low = tf.maximum(y_true[:, :2], y_pred[:, :2])
    both = tf.reduce_prod(tf.nn.relu(tf.minimum(y_true[:, 2:4], y_pred[:, 2:4]) - low), axis=-1)
    sides = [tf.nn.relu(box[:, 2:4] - box[:, :2]) for box in (y_true, y_pred)]
    area = tf.add_n([tf.reduce_prod(side, axis=-1) for side in sides])
    return 1.0 - both / (area - both + 1e-6)


def the_first_ten(y_true, y_pred):
    """Ten columns at most: a slice from the start may end behind the last one."""
    return tf.reduce_mean(tf.square(y_true[:, :10] - y_pred[:, :10]), axis=-1)


def place_and_width_unstacked(y_true, y_pred):
    """Labels (B,), predictions (B, 2): as many as there are names on the left."""
    place, raw = tf.unstack(y_pred, axis=-1)
    width = 0.1 + tf.nn.softplus(raw)
    return 0.5 * tf.square((y_true - place) / width) + tf.math.log(width)


def three_unstacked(y_true, y_pred):
    """Labels (B,), predictions (B, 3)."""
    low, middle, high = tf.unstack(y_pred, axis=1)
    return tf.abs(y_true - middle) + tf.nn.relu(low - y_true) + tf.nn.relu(y_true - high)


def one_column_squeezed(y_true, y_pred):
    """Labels (B,), predictions (B, 1): with labels (B, 1), samples would be set against samples."""
    return tf.square(y_true - tf.squeeze(y_pred, -1))


def mean_of_one_column(y_true, y_pred):
    """Labels (B,), predictions (B, 1)."""
    return tf.reduce_mean(tf.abs(y_true - tf.squeeze(y_pred, axis=[1])))


def both_columns_squeezed(y_true, y_pred):
    """(B, 1) for both."""
    return tf.abs(tf.squeeze(y_true, axis=-1) - tf.squeeze(y_pred, axis=-1))


def embeddings_side_by_side(y_true, y_pred):
    """(B, 24): three of eight numbers, which only the code says."""
    one, near, far = y_pred[:, :8], y_pred[:, 8:16], y_pred[:, 16:]
    gap = tf.reduce_sum(tf.square(one - near) - tf.square(one - far), axis=-1)
    return tf.nn.relu(gap + 1.0)


def embeddings_in_a_stack(y_true, y_pred):
    """(B, 3, D): three of them."""
    gap = tf.square(y_pred[:, 0] - y_pred[:, 1]) - tf.square(y_pred[:, 0] - y_pred[:, 2])
    return tf.nn.relu(tf.reduce_sum(gap, axis=-1) + 1.0)


def nine_quantiles(y_true, y_pred):
    """Labels (B,), predictions (B, 9)."""
    error = tf.reshape(y_true, (-1, 1)) - y_pred
    return tf.reduce_sum(tf.maximum(ANGLES * error, (ANGLES - 1.0) * error), axis=-1)


def margin_of_seven_classes(y_true, y_pred):
    """Class labels (B,), predictions (B, 7)."""
    hot = tf.one_hot(tf.cast(y_true, tf.int32), 7)
    return tf.nn.softmax_cross_entropy_with_logits(hot, y_pred - 0.5 * hot)


def time_and_event(y_true, y_pred):
    """Labels (B, 2), predictions (B, 2): columns of both are named."""
    time, event = tf.abs(y_true[:, 0]) + 0.1, y_true[:, 1]
    rate, shape = tf.nn.softplus(y_pred[:, 0]) + 0.1, tf.nn.softplus(y_pred[:, 1]) + 0.1
    return tf.pow(time / rate, shape) - event * tf.math.log(shape / rate)


def joints_and_whether_seen(y_true, y_pred):
    """Labels (B, T, 3), predictions (B, T, 2)."""
    gap = tf.square(y_true[:, :, 0] - y_pred[:, :, 0]) + tf.square(
        y_true[:, :, 1] - y_pred[:, :, 1]
    )
    return tf.reduce_sum(y_true[:, :, 2] * gap, axis=1)


def boxes_with_class(y_true, y_pred):
    """Labels (B, T, 3), predictions (B, T, 5): two numbers, and a class of three."""
    hot = tf.one_hot(tf.cast(y_true[:, :, 2], tf.int32), 3)
    place = tf.reduce_mean(tf.abs(y_true[:, :, :2] - y_pred[:, :, :2]), axis=[1, 2])
    return place + tf.reduce_mean(tf.square(hot - tf.sigmoid(y_pred[:, :, 2:])), axis=[1, 2])


def words_of_a_sequence(y_true, y_pred):
    """Class labels (B, T), predictions (B, T, D): at (B,), the last axis would be the batch."""
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y_true, tf.int32), y_pred)
    counts = tf.cast(y_true > 0, each.dtype)
    return tf.reduce_sum(each * counts, axis=-1) / (tf.reduce_sum(counts, axis=-1) + 1e-6)


def overlap_of_volumes(y_true, y_pred):
    """(B, D, H, W, C): the classes are averaged."""
    both = tf.reduce_sum(y_true * y_pred, axis=[1, 2, 3])
    each = tf.reduce_sum(y_true + y_pred, axis=[1, 2, 3])
    return 1.0 - tf.reduce_mean((2.0 * both + 1.0) / (each + 1.0), axis=-1)


def structure(y_true, y_pred):
    """Images of eleven pixels or more."""
    return 1.0 - tf.image.ssim(y_true, y_pred, 2.0)


def blocks_of_four(y_true, y_pred):
    """Images whose sides are multiples of four."""
    error = tf.nn.space_to_depth(y_true, 4) - tf.nn.space_to_depth(y_pred, 4)
    return tf.reduce_mean(tf.square(error), axis=[1, 2, 3])


def frames_of_sixty_four(y_true, y_pred):
    """Waves of 64 samples or more: of shorter ones, there is no frame."""

    def size(wave):
        return tf.abs(tf.signal.stft(wave, frame_length=64, frame_step=16))

    return tf.reduce_mean(tf.abs(size(y_true) - size(y_pred)), axis=[1, 2])


def pulled_to_centres(y_true, y_pred):
    """Group labels (B, T), points (B, T, D): on rows, it runs where no label comes twice."""

    def one(pair):
        _, group, count = tf.unique_with_counts(pair[0])
        total = tf.math.unsorted_segment_sum(pair[1], group, tf.size(count))
        centre = total / tf.cast(count, tf.float32)[:, None]
        return tf.reduce_mean(tf.square(tf.gather(centre, group) - pair[1]))

    return tf.map_fn(one, (y_true, y_pred), fn_output_signature=tf.float32)


def beside_all_others(y_true, y_pred):
    """Labels (B,), similarities (B, B)."""
    same = tf.cast(tf.equal(y_true[:, None], y_true[None, :]), y_pred.dtype)
    return -tf.reduce_mean(same * tf.nn.log_softmax(y_pred), axis=-1)


def log_determinant(y_true, y_pred):
    """Square matrices (B, N, N)."""
    gram = tf.matmul(y_pred, y_pred, transpose_b=True) + tf.eye(tf.shape(y_pred)[-1])
    return tf.linalg.logdet(gram) + tf.linalg.trace(tf.matmul(y_true, gram) + y_pred)


def over_the_batch(y_true, y_pred):
    """Returns one number for each column: its layout is as it is, and that is what is wrong."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=0)


def clipped_ratio(first, second, third):
    """A policy's logarithms before and after, and advantages: no name says which is learnt."""
    ratio = tf.exp(second - tf.stop_gradient(first))
    gain = tf.stop_gradient(third)
    return -tf.minimum(ratio * gain, tf.clip_by_value(ratio, 0.8, 1.2) * gain)


def gathered_value(table, which):
    """Values of actions, and the number of one: an index is no prediction."""
    return tf.square(tf.gather(table, tf.cast(which, tf.int32), batch_dims=1) - 1.0)


def value_of_action(q_values, actions, targets):
    """Values (B, D), actions as one-hot rows, targets (B,)."""
    return tf.square(targets - tf.reduce_sum(q_values * actions, axis=-1))


def survival_of_time_and_event(y_true, y_pred):
    """Labels of two columns beside one risk, whose own axis is squeezed away."""
    time, event = y_true[:, 0], y_true[:, 1]
    risk = tf.squeeze(y_pred, -1)
    later = tf.where(time[None, :] >= time[:, None], risk[None, :], risk.dtype.min)
    return -tf.reduce_sum(event * (risk - tf.reduce_logsumexp(later, axis=1)))
