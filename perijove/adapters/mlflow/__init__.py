"""MLflow's stores: runs, artifacts and the model registry, in MLflow's own schema.

Everything written here opens in the stock MLflow UI, and everything that MLflow's own clients write
shows in Perijove. MLflow itself is imported only where it does the work.
"""
