libknarr_a_SOURCES += \
	oci-spec/check.c \
	oci-spec/check_sysctl.c \
	oci-spec/check_values.c \
	oci-spec/field_issues.c \
	oci-spec/fields.c \
	oci-spec/fields.h \
	oci-spec/issues.c \
	oci-spec/issues.h \
	oci-spec/json_error.c \
	oci-spec/json_text.c \
	oci-spec/json_text.h \
	oci-spec/json_value.c \
	oci-spec/load.c \
	oci-spec/names.c \
	oci-spec/names.h \
	oci-spec/parse.h \
	oci-spec/parse_config.c \
	oci-spec/parse_linux.c \
	oci-spec/parse_process.c \
	oci-spec/parse_resources.c \
	oci-spec/parse_seccomp.c \
	oci-spec/spec.h \
	oci-spec/document_parts.h \
	oci-spec/documents.c oci-spec/documents.h \
	oci-spec/features.c
