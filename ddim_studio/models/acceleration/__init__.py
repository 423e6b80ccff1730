"""Running the network faster than torch does it op by op: on the processor by OpenVINO.

How a model comes by its engine, and who waits for whom:

1. A model is opened as torch runs it (`load_model`). Nothing here is imported by then.
2. Where the cache on the disk holds its graph (`store`), that is compiled and checked at once.
3. Else the first run is torch's. Once the network has rested for a second, or has been at work for
   a while, a process of the lowest priority (`child`) opens the model again, has its graph traced
   (`conversion`) and puts it into the cache. Neither the window nor a run waits for it.
4. A thread reads the graph, compiles it (which gives up Python's lock), compares what it says with
   what torch said of the same images, and only then offers it (`engine`).
5. A job takes what is offered when it begins, and keeps that to its end (`network`).

Whatever goes wrong leaves torch at work, and one sentence that says so.
``DDIM_STUDIO_ENGINE=eager`` switches all of this off.
"""
