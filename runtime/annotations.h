/* The annotations of a config that change what a command does. Each is listed by
 * cmd_features.c, too. */
#ifndef KNARR_RUNTIME_ANNOTATIONS_H
#define KNARR_RUNTIME_ANNOTATIONS_H

#define ANNOTATION_STOP_SIGNAL "org.opencontainers.image.stopSignal" /* kill without a signal */

#endif
