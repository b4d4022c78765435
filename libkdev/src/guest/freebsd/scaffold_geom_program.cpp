#include "guest/freebsd/scaffold_geom.hpp"

namespace kdev::guest {

const char* const geom_class_program =
    R"(/*
 * The program for geom_@NAME@.ko. geom(8) would load a library for the class;
 * this one is linked statically, and runs where there is only /rescue.
 */
#include <sys/param.h>

#include <err.h>
#include <libgeom.h>
#include <paths.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../g_@NAME@.h"

static void
usage(void)
{
	fprintf(stderr,
	    "usage: @NAME@ctl label [-h] -k key provider\n"
	    "       @NAME@ctl destroy [-f] geom\n"
	    "       @NAME@ctl status\n"
	    "  -h  only on a provider of this name\n"
	    "  -f  also when it is open\n");
	exit(2);
}

static const char *
without_dev(const char *name)
{
	const size_t dev = strlen(_PATH_DEV);

	return (strncmp(name, _PATH_DEV, dev) == 0 ? name + dev : name);
}

/* Every verb of the kernel's side has these. */
static struct gctl_req *
request(const char *verb)
{
	static const uint32_t version = G_@UPPER@_VERSION;
	struct gctl_req *req = gctl_get_handle();

	gctl_ro_param(req, "class", -1, G_@UPPER@_CLASS_NAME);
	gctl_ro_param(req, "verb", -1, verb);
	gctl_ro_param(req, "version", sizeof(version), &version);
	return (req);
}

static void
issue(struct gctl_req *req)
{
	const char *error = gctl_issue(req);

	if (error != NULL)
		errx(1, "%s", error);
	gctl_free(req);
}

static void
label(int argc, char *argv[])
{
	struct gctl_req *req;
	char *end;
	int ch, hardcode = 0, key = -1;

	while ((ch = getopt(argc, argv, "hk:")) != -1)
		switch (ch) {
		case 'h':
			hardcode = 1;
			break;
		case 'k':
			key = strtol(optarg, &end, 0);
			if (*optarg == '\0' || *end != '\0' || key < 0 ||
			    key > 255)
				errx(2, "the key is a number up to 255");
			break;
		default:
			usage();
		}
	if (key < 0 || argc - optind != 1)
		usage();
	req = request("label");
	gctl_ro_param(req, "provider", -1, without_dev(argv[optind]));
	gctl_ro_param(req, "key", sizeof(key), &key);
	gctl_ro_param(req, "hardcode", sizeof(hardcode), &hardcode);
	issue(req);
}

static void
destroy(int argc, char *argv[])
{
	struct gctl_req *req;
	int ch, force = 0;

	while ((ch = getopt(argc, argv, "f")) != -1)
		switch (ch) {
		case 'f':
			force = 1;
			break;
		default:
			usage();
		}
	if (argc - optind != 1)
		usage();
	req = request("destroy");
	gctl_ro_param(req, "geom", -1, without_dev(argv[optind]));
	gctl_ro_param(req, "force", sizeof(force), &force);
	issue(req);
}

static void
status(void)
{
	struct gmesh mesh;
	struct gclass *class;
	struct gconfig *config;
	struct gconsumer *consumer;
	struct ggeom *geom;
	struct gprovider *provider;
	int error;

	error = geom_gettree(&mesh);
	if (error != 0)
		errc(1, error, "geom_gettree");
	LIST_FOREACH(class, &mesh.lg_class, lg_class) {
		if (strcmp(class->lg_name, G_@UPPER@_CLASS_NAME) != 0)
			continue;
		LIST_FOREACH(geom, &class->lg_geom, lg_geom) {
			printf("%s", geom->lg_name);
			LIST_FOREACH(consumer, &geom->lg_consumer, lg_consumer)
				if (consumer->lg_provider != NULL)
					printf(" on %s",
					    consumer->lg_provider->lg_name);
			LIST_FOREACH(provider, &geom->lg_provider, lg_provider)
				printf(" size %jd open %s",
				    (intmax_t)provider->lg_mediasize,
				    provider->lg_mode);
			LIST_FOREACH(config, &geom->lg_config, lg_config)
				printf(" %s %s", config->lg_name,
				    config->lg_val);
			printf("\n");
		}
	}
	geom_deletetree(&mesh);
}

int
main(int argc, char *argv[])
{
	if (argc < 2)
		usage();
	if (strcmp(argv[1], "label") == 0)
		label(argc - 1, argv + 1);
	else if (strcmp(argv[1], "destroy") == 0)
		destroy(argc - 1, argv + 1);
	else if (strcmp(argv[1], "status") == 0 && argc == 2)
		status();
	else
		usage();
	return (0);
}
)";

}  // namespace kdev::guest
