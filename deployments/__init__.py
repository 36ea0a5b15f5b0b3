"""What sets up and runs the pipeline elsewhere: the Prefect server's objects, images, units, settings of processes."""
