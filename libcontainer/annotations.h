/* The annotations of a config that change what a command does. Each is listed by
 * `knarr features`, which takes the list from here. */
#ifndef KNARR_LIBCONTAINER_ANNOTATIONS_H
#define KNARR_LIBCONTAINER_ANNOTATIONS_H

#define ANNOTATION_CRIU_CONFIG "org.criu.config"		     /* checkpoint, restore */
#define ANNOTATION_STOP_SIGNAL "org.opencontainers.image.stopSignal" /* kill without a signal */

#define ANNOTATIONS_READ                                                                                               \
	{                                                                                                              \
		ANNOTATION_CRIU_CONFIG, ANNOTATION_STOP_SIGNAL, NULL                                                   \
	}

#endif
