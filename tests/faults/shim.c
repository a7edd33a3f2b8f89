/* Faults between a program and its disk, for files below one folder.
 *
 * Preloaded (LD_PRELOAD) into the program under test; FAULTS_FOLDER is the folder. FAULTS_CONTROL is a file that both
 * sides map: `struct control` below, which a test changes while the program runs. FAULTS_LOG, if given, is a file to
 * which everything that changes the folder is appended, in the order in which it happened and with its data: what a
 * power loss would have left at any point can be worked out from it.
 *
 * mmap is watched for failures only: what SQLite maps (-shm) is rebuilt at the next start and never relied on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, SYNC = 4, TRUNCATE = 8, RENAME = 16, UNLINK = 32, MMAP = 64, CLOSE = 128, MKDIR = 256 };
enum { CREATED = 1, OPENED, WRITTEN, TRUNCATED, SYNCING, SYNCED, UNSYNCED, RENAMED, UNLINKED, MADE, REMOVED };

struct control {
    int64_t room;      /* bytes by which files may still grow; -1: no limit */
    int64_t delay_us;  /* of every sync */
    int64_t clock_ns;  /* added to the wall clock */
    int64_t ops;       /* calls that are counted, a sum of the first enum; 0: none */
    int64_t countdown; /* the n-th of them fails; 0: none */
    int64_t error;     /* errno; 0: a write that takes half of its bytes */
    int64_t times;     /* so many fail one after another; -1: all from there on */
    int64_t calls;     /* how many were counted */
    int64_t fired;     /* how many failed */
    char match[64];    /* only files whose path holds this; "": all */
    char where[256];   /* the file under the last failure */
};

struct record {
    uint32_t kind, path_size;
    uint64_t inode;
    int64_t offset;
    uint64_t data_size;
};

#define FILES 4096
static struct file {
    int watched;
    uint64_t inode;
    char path[PATH_MAX];
} *files[FILES];

static struct control *control;
static const char *folder;
static size_t folder_size;
static int log_handle = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...)                                                                                          \
    static type (*real)(__VA_ARGS__);                                                                                  \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t plain_write(int handle, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(handle, data, size);
}

static int plain_open(const char *path, int flags, mode_t mode) {
    REAL(int, "open64", const char *, int, ...);
    return real(path, flags, mode);
}

__attribute__((constructor)) static void start(void) {
    const char *control_path = getenv("FAULTS_CONTROL"), *log_path = getenv("FAULTS_LOG");
    folder = getenv("FAULTS_FOLDER");
    if (!folder || !control_path) {
        folder = NULL;
        return;
    }
    folder_size = strlen(folder);
    int handle = plain_open(control_path, O_RDWR | O_CLOEXEC, 0);
    if (handle >= 0) {
        REAL(void *, "mmap64", void *, size_t, int, int, int, off_t);
        control = real(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    }
    if (!control || control == MAP_FAILED) abort(); /* a fault test without its faults would only seem to pass */
    if (log_path) {
        log_handle = plain_open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (log_handle < 0) abort();
    }
}

/* Recording: the lock is held over a change and its record, so that their orders agree. */

static void enter(void) {
    if (log_handle >= 0) pthread_mutex_lock(&lock);
}

static void leave(void) {
    if (log_handle >= 0) pthread_mutex_unlock(&lock);
}

static void record(uint32_t kind, const char *path, uint64_t inode, int64_t offset, const void *data, size_t size) {
    if (log_handle < 0) return;
    int kept = errno;
    struct record head = {kind, (uint32_t)strlen(path), inode, offset, size};
    size_t total = sizeof head + head.path_size + size;
    char *whole = malloc(total);
    if (!whole) abort();
    memcpy(whole, &head, sizeof head);
    memcpy(whole + sizeof head, path, head.path_size);
    if (size) memcpy(whole + sizeof head + head.path_size, data, size);
    if (plain_write(log_handle, whole, total) != (ssize_t)total) abort();
    free(whole);
    errno = kept;
}

/* Which files */

static int below(const char *path) {
    return folder && !strncmp(path, folder, folder_size) && (path[folder_size] == '/' || !path[folder_size]);
}

static const char *absolute(int at, const char *path, char *room) {
    if (!folder || !path) return "";
    if (path[0] == '/') return path;
    if (at != AT_FDCWD) {
        if (at < 0 || at >= FILES || !files[at] || !files[at]->watched) return "";
        strcpy(room, files[at]->path);
    } else if (!getcwd(room, PATH_MAX)) {
        return "";
    }
    if (strlen(room) + strlen(path) + 2 > PATH_MAX) return "";
    strcat(room, "/");
    return strcat(room, path);
}

static struct file *watched(int handle) {
    return folder && handle >= 0 && handle < FILES && files[handle] && files[handle]->watched ? files[handle] : NULL;
}

static void watch(int handle, const char *path) {
    if (handle >= FILES || strlen(path) >= PATH_MAX) abort();
    struct stat64 told = {0};
    fstat64(handle, &told);
    if (!files[handle]) files[handle] = calloc(1, sizeof **files);
    files[handle]->inode = told.st_ino;
    strcpy(files[handle]->path, path);
    files[handle]->watched = 1;
}

/* Failing: 1 when this call has to; errno says how, 0 for a short write. */

static int fails(int op, const char *path) {
    if (!control || !(control->ops & op) || (control->match[0] && !strstr(path, control->match))) return 0;
    __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST);
    if (!control->countdown) return 0;
    int64_t left = __atomic_sub_fetch(&control->countdown, 1, __ATOMIC_SEQ_CST);
    if (left) return 0;
    if (control->times > 0) control->times--;
    if (control->times) __atomic_store_n(&control->countdown, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&control->fired, 1, __ATOMIC_SEQ_CST);
    strncpy(control->where, path + folder_size, sizeof control->where - 1);
    errno = (int)control->error;
    return 1;
}

/* How many of `size` bytes at `offset` fit. */
static size_t fitting(int handle, int64_t offset, size_t size) {
    if (!control || control->room < 0) return size;
    struct stat64 told = {0};
    fstat64(handle, &told);
    int64_t growth = offset + (int64_t)size - told.st_size;
    if (growth <= 0) return size;
    int64_t given = growth <= control->room ? growth : control->room;
    __atomic_sub_fetch(&control->room, given, __ATOMIC_SEQ_CST);
    return size - (size_t)(growth - given);
}

static void gives_back(int64_t bytes) {
    if (control && control->room >= 0 && bytes > 0) __atomic_add_fetch(&control->room, bytes, __ATOMIC_SEQ_CST);
}

/* Opening and closing */

static int opened(int at, const char *path, int flags, mode_t mode) {
    REAL(int, "openat64", int, const char *, int, ...);
    char room[PATH_MAX];
    const char *whole = absolute(at, path, room);
    if (!below(whole)) return real(at, path, flags, mode);
    if (fails(OPEN, whole)) {
        if (!errno) errno = EIO;
        return -1;
    }
    enter();
    struct stat64 told;
    int existed = !stat64(whole, &told);
    int handle = real(at, path, flags, mode);
    if (handle >= 0) {
        watch(handle, whole);
        if (existed && (flags & O_TRUNC)) gives_back(told.st_size);
        record(existed ? OPENED : CREATED, whole, files[handle]->inode, 0, NULL, 0);
        if (existed && (flags & O_TRUNC)) record(TRUNCATED, whole, files[handle]->inode, 0, NULL, 0);
    }
    leave();
    return handle;
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

int open(const char *path, int flags, ...) {
    MODE(flags);
    return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags);
    return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int at, const char *path, int flags, ...) {
    MODE(flags);
    return opened(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
    MODE(flags);
    return opened(at, path, flags | O_LARGEFILE, mode);
}
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int handle) {
    REAL(int, "close", int);
    struct file *file = watched(handle);
    if (!file) return real(handle);
    int failed = fails(CLOSE, file->path), how = errno;
    file->watched = 0;
    int closed = real(handle); /* the handle is gone, whatever close says */
    if (!failed) return closed;
    errno = how ? how : EIO;
    return -1;
}

/* Writing */

static ssize_t written(int handle, struct file *file, const void *data, size_t size, int64_t offset, int here) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (fails(WRITE, file->path)) {
        if (errno) return -1;
        size /= 2;
        if (!size) return 0;
    }
    enter();
    if (here) offset = fcntl(handle, F_GETFL) & O_APPEND ? lseek64(handle, 0, SEEK_END) : lseek64(handle, 0, SEEK_CUR);
    size_t fit = fitting(handle, offset, size);
    ssize_t done = -1;
    if (size && !fit) {
        errno = ENOSPC;
    } else {
        done = here ? plain_write(handle, data, fit) : real(handle, data, fit, offset);
        if (done > 0) record(WRITTEN, file->path, file->inode, offset, data, (size_t)done);
    }
    leave();
    return done;
}

static ssize_t gathered(int handle, struct file *file, const struct iovec *parts, int count, int64_t offset, int here) {
    size_t size = 0, at = 0;
    for (int n = 0; n < count; n++) size += parts[n].iov_len;
    char *whole = malloc(size ? size : 1);
    if (!whole) abort();
    for (int n = 0; n < count; at += parts[n++].iov_len) memcpy(whole + at, parts[n].iov_base, parts[n].iov_len);
    ssize_t done = written(handle, file, whole, size, offset, here);
    free(whole);
    return done;
}

ssize_t write(int handle, const void *data, size_t size) {
    struct file *file = watched(handle);
    return file ? written(handle, file, data, size, 0, 1) : plain_write(handle, data, size);
}
ssize_t pwrite64(int handle, const void *data, size_t size, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    struct file *file = watched(handle);
    return file ? written(handle, file, data, size, offset, 0) : real(handle, data, size, offset);
}
ssize_t pwrite(int handle, const void *data, size_t size, off_t offset) { return pwrite64(handle, data, size, offset); }
ssize_t writev(int handle, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    struct file *file = watched(handle);
    return file ? gathered(handle, file, parts, count, 0, 1) : real(handle, parts, count);
}
ssize_t pwritev64(int handle, const struct iovec *parts, int count, off64_t offset) {
    REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
    struct file *file = watched(handle);
    return file ? gathered(handle, file, parts, count, offset, 0) : real(handle, parts, count, offset);
}
ssize_t pwritev(int handle, const struct iovec *parts, int count, off_t offset) {
    return pwritev64(handle, parts, count, offset);
}
ssize_t pwritev64v2(int handle, const struct iovec *parts, int count, off64_t offset, int flags) {
    REAL(ssize_t, "pwritev64v2", int, const struct iovec *, int, off64_t, int);
    struct file *file = watched(handle);
    return file ? gathered(handle, file, parts, count, offset, offset < 0) : real(handle, parts, count, offset, flags);
}

/* Copies inside the kernel would pass by unseen: their callers fall back to reading and writing. */
ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
    REAL(ssize_t, "sendfile64", int, int, off64_t *, size_t);
    if (!watched(to)) return real(to, from, offset, size);
    errno = ENOTSOCK;
    return -1;
}
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *offset, size_t size, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    if (!watched(to)) return real(from, at, to, offset, size, flags);
    errno = EXDEV;
    return -1;
}

static int truncated(int handle, struct file *file, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    if (!file) return real(handle, size);
    if (fails(TRUNCATE, file->path)) {
        if (!errno) errno = EIO;
        return -1;
    }
    enter();
    struct stat64 told = {0};
    fstat64(handle, &told);
    int done = -1;
    if (size > told.st_size && fitting(handle, told.st_size, (size_t)(size - told.st_size)) < (size_t)(size - told.st_size))
        errno = ENOSPC;
    else
        done = real(handle, size);
    if (!done) {
        gives_back(told.st_size - size);
        record(TRUNCATED, file->path, file->inode, size, NULL, 0);
    }
    leave();
    return done;
}
int ftruncate64(int handle, off64_t size) { return truncated(handle, watched(handle), size); }
int ftruncate(int handle, off_t size) { return truncated(handle, watched(handle), size); }

/* A file that grows without being written is a truncate to more. */
int posix_fallocate64(int handle, off64_t offset, off64_t size) {
    REAL(int, "posix_fallocate64", int, off64_t, off64_t);
    struct file *file = watched(handle);
    if (!file) return real(handle, offset, size);
    struct stat64 told = {0};
    fstat64(handle, &told);
    return offset + size <= told.st_size || !truncated(handle, file, offset + size) ? 0 : errno;
}
int posix_fallocate(int handle, off_t offset, off_t size) { return posix_fallocate64(handle, offset, size); }

/* Syncing. The real disk is left alone: this machine keeps its power, and the log says what would have been lost. */

static int synced(struct file *file) {
    int failed = fails(SYNC, file->path), how = errno;
    record(SYNCING, file->path, file->inode, 0, NULL, 0);
    if (control && control->delay_us > 0) {
        int64_t left = control->delay_us;
        struct timespec time = {left / 1000000, left % 1000000 * 1000};
        nanosleep(&time, NULL);
    }
    if (failed) {
        record(UNSYNCED, file->path, file->inode, 0, NULL, 0);
        errno = how ? how : EIO;
        return -1;
    }
    record(SYNCED, file->path, file->inode, 0, NULL, 0);
    return 0;
}
int fsync(int handle) {
    REAL(int, "fsync", int);
    struct file *file = watched(handle);
    return file ? synced(file) : real(handle);
}
int fdatasync(int handle) {
    REAL(int, "fdatasync", int);
    struct file *file = watched(handle);
    return file ? synced(file) : real(handle);
}
int sync_file_range(int handle, off64_t offset, off64_t size, unsigned flags) {
    REAL(int, "sync_file_range", int, off64_t, off64_t, unsigned);
    return watched(handle) ? 0 : real(handle, offset, size, flags); /* it promises nothing */
}

/* Names */

static int renamed(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    char from_room[PATH_MAX], to_room[PATH_MAX];
    const char *from_whole = absolute(from_at, from, from_room), *to_whole = absolute(to_at, to, to_room);
    if (!below(to_whole)) return real(from_at, from, to_at, to, flags);
    if (fails(RENAME, to_whole)) {
        if (!errno) errno = EIO;
        return -1;
    }
    enter();
    int done = real(from_at, from, to_at, to, flags);
    if (!done) record(RENAMED, from_whole, 0, 0, to_whole, strlen(to_whole));
    leave();
    return done;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return renamed(from_at, from, to_at, to, 0); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return renamed(from_at, from, to_at, to, flags);
}

static int unlinked(int at, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    char room[PATH_MAX];
    const char *whole = absolute(at, path, room);
    if (!below(whole)) return real(at, path, flags);
    if (fails(UNLINK, whole)) {
        if (!errno) errno = EIO;
        return -1;
    }
    enter();
    struct stat64 told = {0};
    stat64(whole, &told);
    int done = real(at, path, flags);
    if (!done) {
        if (!(flags & AT_REMOVEDIR)) gives_back(told.st_size);
        record(flags & AT_REMOVEDIR ? REMOVED : UNLINKED, whole, 0, 0, NULL, 0);
    }
    leave();
    return done;
}
int unlink(const char *path) { return unlinked(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlinked(at, path, flags); }
int rmdir(const char *path) { return unlinked(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *path, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    char room[PATH_MAX];
    const char *whole = absolute(at, path, room);
    if (!below(whole)) return real(at, path, mode);
    if (fails(MKDIR, whole)) {
        if (!errno) errno = EIO;
        return -1;
    }
    enter();
    int done = real(at, path, mode);
    if (!done) record(MADE, whole, 0, 0, NULL, 0);
    leave();
    return done;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Maps and clocks */

void *mmap64(void *where, size_t size, int protection, int flags, int handle, off64_t offset) {
    REAL(void *, "mmap64", void *, size_t, int, int, int, off64_t);
    struct file *file = flags & MAP_ANONYMOUS ? NULL : watched(handle);
    if (file && fails(MMAP, file->path)) {
        if (!errno) errno = ENOMEM;
        return MAP_FAILED;
    }
    return real(where, size, protection, flags, handle, offset);
}
void *mmap(void *where, size_t size, int protection, int flags, int handle, off_t offset) {
    return mmap64(where, size, protection, flags, handle, offset);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int done = real(clock, time);
    if (!done && control && control->clock_ns && clock == CLOCK_REALTIME) {
        int64_t moved = time->tv_sec * 1000000000LL + time->tv_nsec + control->clock_ns;
        time->tv_sec = moved / 1000000000LL;
        time->tv_nsec = moved % 1000000000LL;
    }
    return done;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec told;
    clock_gettime(CLOCK_REALTIME, &told);
    time->tv_sec = told.tv_sec;
    time->tv_usec = told.tv_nsec / 1000;
    return 0;
}
