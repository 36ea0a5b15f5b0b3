"""Set up and run the pipeline elsewhere: the Prefect server's objects, the image, the unit, settings of processes."""
