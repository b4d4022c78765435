#include "guest/freebsd/scaffold_geom.hpp"

namespace kdev::guest {

const char* const geom_class_life =
    R"(/*
 * Coming and going.
 */

static struct g_geom *
g_@NAME@_create(struct g_class *mp, struct g_provider *pp,
    const struct g_@NAME@_metadata *md)
{
	struct g_@NAME@_softc *sc;
	struct g_consumer *cp;
	struct g_geom *gp;
	struct g_provider *newpp;
	int error;

	gp = g_new_geomf(mp, "%s" G_@UPPER@_SUFFIX, pp->name);
	sc = malloc(sizeof(*sc), M_@UPPER@, M_WAITOK | M_ZERO);
	sc->sc_md = *md;
	mtx_init(&sc->sc_mtx, "g_@NAME@", NULL, MTX_DEF);
	bioq_init(&sc->sc_queue);
	gp->softc = sc;
	cp = g_new_consumer(gp);
	error = g_attach(cp, pp);
	if (error == 0) {
		error = kthread_add(g_@NAME@_worker, sc, NULL, &sc->sc_worker,
		    0, 0, "g_@NAME@ %s", pp->name);
		if (error != 0)
			g_detach(cp);
	}
	if (error != 0) {
		printf("GEOM_@UPPER@: no %s, error %d\n", gp->name, error);
		g_destroy_consumer(cp);
		gp->softc = NULL;
		g_destroy_geom(gp);
		mtx_destroy(&sc->sc_mtx);
		free(sc, M_@UPPER@);
		return (NULL);
	}
	newpp = g_new_providerf(gp, "%s", gp->name);
	newpp->mediasize = pp->mediasize - pp->sectorsize;
	newpp->sectorsize = pp->sectorsize;
	newpp->stripesize = pp->stripesize;
	newpp->stripeoffset = pp->stripeoffset;
	g_error_provider(newpp, 0);
	printf("GEOM_@UPPER@: %s created\n", gp->name);
	return (gp);
}

/*
 * Open providers take no more requests from now on; what is left goes with
 * the last close.
 */
static int
g_@NAME@_destroy(struct g_geom *gp, bool force)
{
	struct g_consumer *cp;
	struct g_provider *pp;

	g_topology_assert();
	pp = LIST_FIRST(&gp->provider);
	if (pp != NULL && g_@NAME@_is_open(pp) && !force)
		return (EBUSY);
	if ((gp->flags & G_GEOM_WITHER) == 0)
		printf("GEOM_@UPPER@: %s destroyed\n", gp->name);
	g_wither_geom(gp, ENXIO);
	/* While we are attached nobody tastes the disk for us again. */
	cp = LIST_FIRST(&gp->consumer);
	if (cp != NULL && cp->acr == 0 && cp->acw == 0 && cp->ace == 0) {
		g_detach(cp);
		g_destroy_consumer(cp);
	}
	return (0);
}

/* Nobody has the provider open any more: nothing is on its way. */
static void
g_@NAME@_providergone(struct g_provider *pp)
{
	struct g_@NAME@_softc *sc = pp->geom->softc;

	pp->geom->softc = NULL;
	mtx_lock(&sc->sc_mtx);
	sc->sc_stop = true;
	wakeup(&sc->sc_queue);
	/* It cannot leave before we sleep: it needs the mutex for that. */
	mtx_sleep(sc->sc_worker, &sc->sc_mtx, PRIBIO, "@NAME@end", 0);
	mtx_unlock(&sc->sc_mtx);
	mtx_destroy(&sc->sc_mtx);
	free(sc, M_@UPPER@);
}

/* kldunload. */
static int
g_@NAME@_destroy_geom(struct gctl_req *req __unused,
    struct g_class *mp __unused, struct g_geom *gp)
{
	return (g_@NAME@_destroy(gp, false));
}

/* The disk is gone. */
static void
g_@NAME@_orphan(struct g_consumer *cp)
{
	/* That of a taste is gone before the event comes to it. */
	g_@NAME@_destroy(cp->geom, true);
}

/* Someone opened the disk to write on it, past us; then it is tasted anew. */
static void
g_@NAME@_spoiled(struct g_consumer *cp)
{
	g_@NAME@_destroy(cp->geom, true);
}

static struct g_geom *
g_@NAME@_taste(struct g_class *mp, struct g_provider *pp, int flags __unused)
{
	struct g_@NAME@_metadata md;
	struct g_consumer *cp;
	struct g_geom *gp;
	int error;

	g_topology_assert();
	/* Who writes may be about to change the metadata. */
	if (pp->acw > 0)
		return (NULL);

	gp = g_new_geomf(mp, "@NAME@:taste");
	cp = g_new_consumer(gp);
	error = g_attach(cp, pp);
	if (error == 0) {
		error = g_@NAME@_read_metadata(cp, &md);
		g_detach(cp);
	}
	g_destroy_consumer(cp);
	g_destroy_geom(gp);
	if (error != 0)
		return (NULL);

	if (strncmp(md.md_magic, G_@UPPER@_MAGIC, sizeof(md.md_magic)) != 0)
		return (NULL);
	if (md.md_version > G_@UPPER@_VERSION) {
		printf("GEOM_@UPPER@: this module is too old for %s\n",
		    pp->name);
		return (NULL);
	}
	md.md_provider[sizeof(md.md_provider) - 1] = '\0';
	if (md.md_provider[0] != '\0' &&
	    !g_compare_names(md.md_provider, pp->name))
		return (NULL);
	if (md.md_provsize != (uint64_t)pp->mediasize)
		return (NULL);
	return (g_@NAME@_create(mp, pp, &md));
}

/* The counts are changes. */
static int
g_@NAME@_access(struct g_provider *pp, int dr, int dw, int de)
{
	struct g_consumer *cp = LIST_FIRST(&pp->geom->consumer);

	if (cp == NULL)
		return (ENXIO);
	/* While we are open nobody else may write on the disk. */
	if (!g_@NAME@_is_open(pp))
		de++;
	if (pp->acr + dr == 0 && pp->acw + dw == 0 && pp->ace + de == 0)
		de--;
	return (g_access(cp, dr, dw, de));
}

/* The metadata must be in the last sector again. */
static void
g_@NAME@_resize(struct g_consumer *cp)
{
	struct g_provider *disk = cp->provider, *pp;
	struct g_@NAME@_softc *sc = cp->geom->softc;
	off_t mediasize = disk->mediasize - disk->sectorsize;
	int error;

	pp = LIST_FIRST(&cp->geom->provider);
	if (sc == NULL || pp == NULL || mediasize == pp->mediasize)
		return;
	if (mediasize < pp->mediasize) {
		g_@NAME@_destroy(cp->geom, true);
		return;
	}
	sc->sc_md.md_provsize = disk->mediasize;
	error = g_@NAME@_write_metadata(cp, &sc->sc_md);
	if (error != 0)
		printf("GEOM_@UPPER@: %s keeps its size, error %d\n", pp->name,
		    error);
	else
		g_resize_provider(pp, mediasize);
}

/* What kern.geom.confxml says of a geom; with pp or cp: of those. */
static void
g_@NAME@_dumpconf(struct sbuf *sb, const char *indent, struct g_geom *gp,
    struct g_consumer *cp, struct g_provider *pp)
{
	struct g_@NAME@_softc *sc = gp->softc;

	if (sc == NULL || cp != NULL || pp != NULL)
		return;
	sbuf_printf(sb, "%s<Key>%u</Key>\n", indent, sc->sc_md.md_key);
	sbuf_printf(sb, "%s<Version>%u</Version>\n", indent,
	    sc->sc_md.md_version);
}

/*
 * Verbs of ctl/@NAME@ctl.c.
 */

static void
g_@NAME@_ctl_label(struct gctl_req *req, struct g_class *mp)
{
	struct g_@NAME@_metadata md;
	struct g_consumer *cp;
	struct g_geom *gp;
	struct g_provider *pp;
	int error, *hardcode, *key;

	pp = gctl_get_provider(req, "provider");
	key = gctl_get_paraml(req, "key", sizeof(*key));
	hardcode = gctl_get_paraml(req, "hardcode", sizeof(*hardcode));
	if (pp == NULL || key == NULL || hardcode == NULL)
		return;
	if (*key < 0 || *key > 255) {
		gctl_error(req, "The key is one byte.");
		return;
	}
	LIST_FOREACH(cp, &pp->consumers, consumers)
		if (cp->geom->class == mp) {
			gctl_error(req, "%s is there already.",
			    cp->geom->name);
			return;
		}
	if (*hardcode && strlen(pp->name) >= sizeof(md.md_provider)) {
		gctl_error(req, "The name %s is too long.", pp->name);
		return;
	}

	gp = g_new_geomf(mp, "@NAME@:label");
	cp = g_new_consumer(gp);
	error = g_attach(cp, pp);
	if (error == 0) {
		/* Whether it can be read, and is large enough. */
		error = g_@NAME@_read_metadata(cp, &md);
		if (error == 0) {
			memset(&md, 0, sizeof(md));
			strlcpy(md.md_magic, G_@UPPER@_MAGIC,
			    sizeof(md.md_magic));
			md.md_version = G_@UPPER@_VERSION;
			md.md_key = *key;
			if (*hardcode)
				strlcpy(md.md_provider, pp->name,
				    sizeof(md.md_provider));
			md.md_provsize = pp->mediasize;
			/* The geom comes of the taste after the close. */
			error = g_@NAME@_write_metadata(cp, &md);
		}
		g_detach(cp);
	}
	g_destroy_consumer(cp);
	g_destroy_geom(gp);
	if (error != 0)
		gctl_error(req, "Cannot label %s: error %d.", pp->name, error);
}

static void
g_@NAME@_ctl_destroy(struct gctl_req *req, struct g_class *mp)
{
	struct g_consumer *cp;
	struct g_geom *gp;
	struct g_provider *pp;
	int error, *force;

	gp = gctl_get_geom(req, mp, "geom");
	force = gctl_get_paraml(req, "force", sizeof(*force));
	if (gp == NULL || force == NULL)
		return;
	pp = LIST_FIRST(&gp->provider);
	if (pp != NULL && g_@NAME@_is_open(pp) && !*force) {
		gctl_error(req, "%s is open.", gp->name);
		return;
	}
	cp = LIST_FIRST(&gp->consumer);
	if (cp != NULL && (gp->flags & G_GEOM_WITHER) == 0) {
		error = g_@NAME@_write_metadata(cp, NULL);
		if (error != 0) {
			gctl_error(req, "Cannot clear the metadata: error %d.",
			    error);
			if (!*force)
				return;
		}
	}
	g_@NAME@_destroy(gp, true);
}

static void
g_@NAME@_ctlreq(struct gctl_req *req, struct g_class *mp, const char *verb)
{
	uint32_t *version;

	g_topology_assert();
	version = gctl_get_paraml(req, "version", sizeof(*version));
	if (version == NULL)
		return;
	if (*version != G_@UPPER@_VERSION)
		gctl_error(req, "Program and module do not fit together.");
	else if (strcmp(verb, "label") == 0)
		g_@NAME@_ctl_label(req, mp);
	else if (strcmp(verb, "destroy") == 0)
		g_@NAME@_ctl_destroy(req, mp);
	else
		gctl_error(req, "Unknown verb \"%s\".", verb);
}

DECLARE_GEOM_CLASS(g_@NAME@_class, g_@NAME@);
MODULE_VERSION(geom_@NAME@, 0);
)";

}  // namespace kdev::guest
