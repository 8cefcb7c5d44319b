"""Door: the only room that imports kopf. It starts and stops the process, logs in, and answers probes."""
