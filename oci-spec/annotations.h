/* The annotations of a config that change what a command does. `knarr features` takes
 * its list from here. */
#ifndef KNARR_OCI_SPEC_ANNOTATIONS_H
#define KNARR_OCI_SPEC_ANNOTATIONS_H

#define ANNOTATION_CRIU_CONFIG	    "org.criu.config"			  /* checkpoint, restore */
#define ANNOTATION_STOP_SIGNAL	    "org.opencontainers.image.stopSignal" /* kill without a signal */
#define ANNOTATION_SYSTEMD_PROPERTY "org.systemd.property."		  /* and a name: of the scope */
#define ANNOTATION_SYSTEMD_SUBGROUP "run.oci.systemd.subgroup"		  /* a folder below the scope */

/* All of them, in their order; ends with NULL. */
#define ANNOTATIONS_READ                                                                                               \
	{                                                                                                              \
		ANNOTATION_CRIU_CONFIG, ANNOTATION_STOP_SIGNAL, ANNOTATION_SYSTEMD_PROPERTY,                           \
			ANNOTATION_SYSTEMD_SUBGROUP, NULL                                                              \
	}

#endif
