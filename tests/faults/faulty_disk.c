/* A disk that fails under open files. While the file "$FIRESIDE_FAULTY_DISK.eio" exists, every call on what lies below
   that folder fails as a broken disk does; while "….erofs" exists, every writing one fails as the kernel does once it
   has turned a disk read-only. Loaded into a program and its children by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_there(const char *disk, const char *ending) {
  char sign[PATH_MAX];
  snprintf(sign, sizeof sign, "%s.%s", disk, ending);
  return access(sign, F_OK) == 0;
}

static int path_fails(const char *path, int writes) {
  const char *disk = getenv("FIRESIDE_FAULTY_DISK");
  size_t length = disk ? strlen(disk) : 0;
  int before = errno;
  if (!length || strncmp(path, disk, length) || (path[length] && path[length] != '/')) return 0;
  if (is_there(disk, "eio")) return errno = EIO, 1;
  if (writes && is_there(disk, "erofs")) return errno = EROFS, 1;
  return errno = before, 0;
}

static int file_fails(int file, int writes) {
  char link[64], path[PATH_MAX];
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length <= 0) return 0;
  path[length] = 0;
  return path_fails(path, writes);
}

#define REAL(name) (real ? real : (real = dlsym(RTLD_NEXT, name)))
#define ON_FILE(type, name, writes, given, passed) \
  type name given { \
    static type (*real) given; \
    return file_fails(file, writes) ? -1 : REAL(#name) passed; \
  }
#define ON_PATH(name, given, passed) \
  int name given { \
    static int (*real) given; \
    return path_fails(path, 1) ? -1 : REAL(#name) passed; \
  }
#define ON_OPEN(name) \
  int name(const char *path, int flags, ...) { \
    static int (*real)(const char *, int, ...); \
    va_list more; \
    va_start(more, flags); \
    int mode = va_arg(more, int); \
    va_end(more); \
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC); \
    return path_fails(path, writes) ? -1 : REAL(#name)(path, flags, mode); \
  }

ON_FILE(ssize_t, write, 1, (int file, const void *data, size_t size), (file, data, size))
ON_FILE(ssize_t, pwrite, 1, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pwrite64, 1, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
ON_FILE(ssize_t, writev, 1, (int file, const struct iovec *parts, int count), (file, parts, count))
ON_FILE(ssize_t, sendfile, 1, (int file, int from, off_t *at, size_t size), (file, from, at, size))
ON_FILE(ssize_t, sendfile64, 1, (int file, int from, off64_t *at, size_t size), (file, from, at, size))
ON_FILE(ssize_t, read, 0, (int file, void *data, size_t size), (file, data, size))
ON_FILE(ssize_t, pread, 0, (int file, void *data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pread64, 0, (int file, void *data, size_t size, off64_t at), (file, data, size, at))
ON_FILE(int, fsync, 1, (int file), (file))
ON_FILE(int, fdatasync, 1, (int file), (file))
ON_FILE(int, ftruncate, 1, (int file, off_t size), (file, size))
ON_FILE(int, ftruncate64, 1, (int file, off64_t size), (file, size))
ON_PATH(rename, (const char *path, const char *target), (path, target))
ON_PATH(unlink, (const char *path), (path))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH(rmdir, (const char *path), (path))
#define ON_DISK(name) \
  int name(const char *path, struct name *told) { \
    static int (*real)(const char *, struct name *); \
    int result = REAL(#name)(path, told); \
    if (!result && path_fails(path, 1) && errno == EROFS) told->f_flag |= ST_RDONLY; \
    return result; \
  }
ON_DISK(statvfs)
ON_DISK(statvfs64)

ON_OPEN(open)
ON_OPEN(open64)
