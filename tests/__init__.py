import os

# Several processes of tests share the cores: threads of PyTorch that wait by running in circles
# took nine times as long, and those of NumPy take from the engines. Set before anything loads them;
# what tests start has it, too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
