#include "guest/freebsd/scaffold_geom.hpp"

namespace kdev::guest {

const char* const geom_class_requests =
    R"(/*
 * A GEOM class: PROVIDER.@NAME@ is PROVIDER less its last sector, every byte
 * XORed with a key. The last sector has the key: see g_@NAME@.h.
 *
 * All methods but start and the bio_done functions are called with the
 * topology lock held, most of them in GEOM's event thread; those two must not
 * sleep.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bio.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sbuf.h>

#include <geom/geom.h>

#include "g_@NAME@.h"

static MALLOC_DEFINE(M_@UPPER@, "@NAME@_data", "GEOM_@UPPER@ data");

struct g_@NAME@_softc {
	struct g_@NAME@_metadata sc_md;
	struct mtx	sc_mtx;		/* the fields below */
	struct bio_queue_head sc_queue;	/* for the worker */
	bool		sc_stop;
	struct thread	*sc_worker;
};

static g_access_t g_@NAME@_access;
static g_ctl_destroy_geom_t g_@NAME@_destroy_geom;
static g_ctl_req_t g_@NAME@_ctlreq;
static g_dumpconf_t g_@NAME@_dumpconf;
static g_orphan_t g_@NAME@_orphan;
static g_provgone_t g_@NAME@_providergone;
static g_resize_t g_@NAME@_resize;
static g_spoiled_t g_@NAME@_spoiled;
static g_start_t g_@NAME@_start;
static g_taste_t g_@NAME@_taste;

static struct g_class g_@NAME@_class = {
	.name = G_@UPPER@_CLASS_NAME,
	.version = G_VERSION,
	.ctlreq = g_@NAME@_ctlreq,
	.taste = g_@NAME@_taste,
	.destroy_geom = g_@NAME@_destroy_geom,
	.access = g_@NAME@_access,
	.dumpconf = g_@NAME@_dumpconf,
	.orphan = g_@NAME@_orphan,
	.providergone = g_@NAME@_providergone,
	.resize = g_@NAME@_resize,
	.spoiled = g_@NAME@_spoiled,
	.start = g_@NAME@_start,
};

static bool
g_@NAME@_is_open(struct g_provider *pp)
{
	return (pp->acr != 0 || pp->acw != 0 || pp->ace != 0);
}

/*
 * Metadata.
 */

static int
g_@NAME@_read_metadata(struct g_consumer *cp, struct g_@NAME@_metadata *md)
{
	struct g_provider *pp = cp->provider;
	u_char *sector;
	int error;

	g_topology_assert();
	error = g_access(cp, 1, 0, 0);
	if (error != 0)
		return (error);
	/* Some providers know their size only while they are open. */
	if (pp->sectorsize < G_@UPPER@_METADATA_SIZE ||
	    pp->mediasize < 2 * (off_t)pp->sectorsize) {
		g_access(cp, -1, 0, 0);
		return (EINVAL);
	}
	/* I/O needs the other GEOM threads, and they the lock. */
	g_topology_unlock();
	sector = g_read_data(cp, pp->mediasize - pp->sectorsize,
	    pp->sectorsize, &error);
	g_topology_lock();
	g_access(cp, -1, 0, 0);
	if (sector == NULL)
		return (error);
	@NAME@_metadata_decode(sector, md);
	g_free(sector);
	return (0);
}

/* NULL: zeroes. */
static int
g_@NAME@_write_metadata(struct g_consumer *cp,
    const struct g_@NAME@_metadata *md)
{
	struct g_provider *pp = cp->provider;
	u_char *sector;
	int error;

	g_topology_assert();
	error = g_access(cp, 0, 1, 1);
	if (error != 0)
		return (error);
	sector = g_malloc(pp->sectorsize, M_WAITOK | M_ZERO);
	if (md != NULL)
		@NAME@_metadata_encode(md, sector);
	g_topology_unlock();
	error = g_write_data(cp, pp->mediasize - pp->sectorsize, sector,
	    pp->sectorsize);
	g_topology_lock();
	g_access(cp, 0, -1, -1);
	g_free(sector);
	return (error);
}

/*
 * Requests. Those that change the disk go through the worker, in the order in
 * which they came: a write needs a copy of the data, as the caller's buffer
 * must stay as it is, and memory for it may have to be waited for.
 */

static void
g_@NAME@_crypt(const struct g_@NAME@_softc *sc, const u_char *from, u_char *to,
    off_t length)
{
	off_t i;

	for (i = 0; i < length; i++)
		to[i] = from[i] ^ sc->sc_md.md_key;
}

static void
g_@NAME@_read_done(struct bio *cbp)
{
	struct bio *bp = cbp->bio_parent;
	u_char *data = bp->bio_data;

	if (cbp->bio_error == 0)
		g_@NAME@_crypt(bp->bio_to->geom->softc, data, data,
		    cbp->bio_completed);
	g_std_done(cbp);
}

static void
g_@NAME@_write_done(struct bio *cbp)
{
	free(cbp->bio_data, M_@UPPER@);
	g_std_done(cbp);
}

static void
g_@NAME@_pass(struct bio *bp, void (*done)(struct bio *), void *data)
{
	struct bio *cbp;

	cbp = g_clone_bio(bp);
	if (cbp == NULL) {
		free(data, M_@UPPER@);
		g_io_deliver(bp, ENOMEM);	/* GEOM sends it once more */
		return;
	}
	cbp->bio_done = done;
	if (data != NULL)
		cbp->bio_data = data;
	g_io_request(cbp, LIST_FIRST(&bp->bio_to->geom->consumer));
}

static void
g_@NAME@_start(struct bio *bp)
{
	struct g_@NAME@_softc *sc = bp->bio_to->geom->softc;

	switch (bp->bio_cmd) {
	case BIO_WRITE:
	case BIO_DELETE:
	case BIO_FLUSH:
		mtx_lock(&sc->sc_mtx);
		bioq_insert_tail(&sc->sc_queue, bp);
		wakeup(&sc->sc_queue);
		mtx_unlock(&sc->sc_mtx);
		return;
	case BIO_READ:
		g_@NAME@_pass(bp, g_@NAME@_read_done, NULL);
		return;
	case BIO_GETATTR:
		/* A dump would be written past us, and unchanged. */
		if (strcmp(bp->bio_attribute, "GEOM::kerneldump") == 0)
			break;
		g_@NAME@_pass(bp, g_std_done, NULL);
		return;
	default:
		break;
	}
	g_io_deliver(bp, EOPNOTSUPP);
}

static void
g_@NAME@_worker(void *arg)
{
	struct g_@NAME@_softc *sc = arg;
	struct bio *bp;
	u_char *data;

	mtx_lock(&sc->sc_mtx);
	for (;;) {
		bp = bioq_takefirst(&sc->sc_queue);
		if (bp == NULL) {
			if (sc->sc_stop)
				break;
			mtx_sleep(&sc->sc_queue, &sc->sc_mtx, PRIBIO,
			    "@NAME@", 0);
			continue;
		}
		mtx_unlock(&sc->sc_mtx);
		if (bp->bio_cmd == BIO_WRITE) {
			data = malloc(bp->bio_length, M_@UPPER@, M_WAITOK);
			g_@NAME@_crypt(sc, bp->bio_data, data, bp->bio_length);
			g_@NAME@_pass(bp, g_@NAME@_write_done, data);
		} else
			g_@NAME@_pass(bp, g_std_done, NULL);
		mtx_lock(&sc->sc_mtx);
	}
	mtx_unlock(&sc->sc_mtx);
	kthread_exit();		/* wakes up who sleeps on the thread */
}

)";

}  // namespace kdev::guest
