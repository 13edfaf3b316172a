package lib.egg

import data.lib.chicken

laid(name) if chicken.hatched(name)
