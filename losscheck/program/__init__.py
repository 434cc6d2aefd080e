"""The TensorFlow adapter: the only room that imports TensorFlow and Keras."""
