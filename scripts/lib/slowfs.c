/*
 * slowfs: a FUSE layer that answers each call a while later, as a server would.
 *
 *   slowfs MICROSECONDS CALLS FOLDER MOUNTPOINT [FUSE OPTION...]
 *
 * Shows FOLDER at MOUNTPOINT. Any number of calls wait side by side. When it is
 * unmounted, it writes to the file CALLS how often each call was made. Whether
 * the kernel keeps what it was told is up to the options: entry_timeout=0 and
 * attr_timeout=0 make it ask each time.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 312
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define CALLS(X) \
    X(getattr) X(readlink) X(mkdir) X(unlink) X(rmdir) X(symlink) X(rename) X(link) X(chmod) \
    X(chown) X(truncate) X(open) X(create) X(read) X(write) X(statfs) X(flush) X(release) \
    X(fsync) X(opendir) X(readdir) X(releasedir) X(fsyncdir) X(utimens)

enum call {
#define NUMBER(name) CALL_##name,
    CALLS(NUMBER)
#undef NUMBER
    CALL_COUNT
};

static const char *const names[] = {
#define NAME(name) #name,
    CALLS(NAME)
#undef NAME
};

static atomic_ulong counts[CALL_COUNT];
static struct timespec delay;
static const char *counts_path;
static int root;

/* Counts a call and lets it wait. */
static void wait_for(enum call call)
{
    struct timespec left = delay;
    atomic_fetch_add(&counts[call], 1);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* The path as seen from the folder that is shown. */
static const char *inner(const char *path)
{
    return path[1] == '\0' ? "." : path + 1;
}

static int told(int result)
{
    return result < 0 ? -errno : 0;
}

static int slow_getattr(const char *path, struct stat *into, struct fuse_file_info *file)
{
    wait_for(CALL_getattr);
    if (file != NULL)
        return told(fstat((int)file->fh, into));
    return told(fstatat(root, inner(path), into, AT_SYMLINK_NOFOLLOW));
}

static int slow_readlink(const char *path, char *into, size_t size)
{
    wait_for(CALL_readlink);
    ssize_t length = readlinkat(root, inner(path), into, size - 1);
    if (length < 0)
        return -errno;
    into[length] = '\0';
    return 0;
}

/* What is made belongs to whoever asked for it. */
static int made(const char *path, int result)
{
    const struct fuse_context *asking = fuse_get_context();
    if (result < 0)
        return -errno;
    if (asking->uid == geteuid() && asking->gid == getegid())
        return 0;
    return told(fchownat(root, inner(path), asking->uid, asking->gid, AT_SYMLINK_NOFOLLOW));
}

static int slow_mkdir(const char *path, mode_t mode)
{
    wait_for(CALL_mkdir);
    return made(path, mkdirat(root, inner(path), mode));
}

static int slow_unlink(const char *path)
{
    wait_for(CALL_unlink);
    return told(unlinkat(root, inner(path), 0));
}

static int slow_rmdir(const char *path)
{
    wait_for(CALL_rmdir);
    return told(unlinkat(root, inner(path), AT_REMOVEDIR));
}

static int slow_symlink(const char *target, const char *path)
{
    wait_for(CALL_symlink);
    return made(path, symlinkat(target, root, inner(path)));
}

static int slow_rename(const char *from, const char *to, unsigned int flags)
{
    wait_for(CALL_rename);
    return told(renameat2(root, inner(from), root, inner(to), flags));
}

static int slow_link(const char *from, const char *to)
{
    wait_for(CALL_link);
    return told(linkat(root, inner(from), root, inner(to), 0));
}

static int slow_chmod(const char *path, mode_t mode, struct fuse_file_info *file)
{
    wait_for(CALL_chmod);
    if (file != NULL)
        return told(fchmod((int)file->fh, mode));
    return told(fchmodat(root, inner(path), mode, 0));
}

static int slow_chown(const char *path, uid_t user, gid_t group, struct fuse_file_info *file)
{
    wait_for(CALL_chown);
    if (file != NULL)
        return told(fchown((int)file->fh, user, group));
    return told(fchownat(root, inner(path), user, group, AT_SYMLINK_NOFOLLOW));
}

static int slow_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
    wait_for(CALL_truncate);
    int fd = file != NULL ? (int)file->fh : openat(root, inner(path), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = told(ftruncate(fd, size));
    if (file == NULL)
        close(fd);
    return result;
}

static int opened(struct fuse_file_info *file, int fd)
{
    if (fd < 0)
        return -errno;
    file->fh = (uint64_t)fd;
    return 0;
}

static int slow_open(const char *path, struct fuse_file_info *file)
{
    wait_for(CALL_open);
    return opened(file, openat(root, inner(path), (file->flags & ~O_NOATIME) | O_CLOEXEC));
}

static int slow_create(const char *path, mode_t mode, struct fuse_file_info *file)
{
    wait_for(CALL_create);
    int result = opened(file, openat(root, inner(path), file->flags | O_CREAT | O_CLOEXEC, mode));
    return result < 0 ? result : made(path, 0);
}

static int slow_read(const char *path, char *into, size_t size, off_t at, struct fuse_file_info *file)
{
    (void)path;
    wait_for(CALL_read);
    ssize_t length = pread((int)file->fh, into, size, at);
    return length < 0 ? -errno : (int)length;
}

static int slow_write(const char *path, const char *from, size_t size, off_t at, struct fuse_file_info *file)
{
    (void)path;
    wait_for(CALL_write);
    ssize_t length = pwrite((int)file->fh, from, size, at);
    return length < 0 ? -errno : (int)length;
}

static int slow_statfs(const char *path, struct statvfs *into)
{
    (void)path;
    wait_for(CALL_statfs);
    return told(fstatvfs(root, into));
}

static int slow_flush(const char *path, struct fuse_file_info *file)
{
    (void)path;
    (void)file;
    wait_for(CALL_flush);
    return 0;
}

static int slow_release(const char *path, struct fuse_file_info *file)
{
    (void)path;
    wait_for(CALL_release);
    return told(close((int)file->fh));
}

static int slow_fsync(const char *path, int only_data, struct fuse_file_info *file)
{
    (void)path;
    wait_for(CALL_fsync);
    return told(only_data ? fdatasync((int)file->fh) : fsync((int)file->fh));
}

static int slow_opendir(const char *path, struct fuse_file_info *file)
{
    wait_for(CALL_opendir);
    return opened(file, openat(root, inner(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int slow_readdir(const char *path, void *into, fuse_fill_dir_t fill, off_t at,
                        struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
    (void)path;
    (void)at;
    (void)flags;
    wait_for(CALL_readdir);
    int fd = openat((int)file->fh, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL)
        return -errno;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat kind = {.st_ino = entry->d_ino, .st_mode = (mode_t)entry->d_type << 12};
        if (fill(into, entry->d_name, &kind, 0, 0) != 0)
            break;
    }
    closedir(folder);
    return 0;
}

static int slow_releasedir(const char *path, struct fuse_file_info *file)
{
    (void)path;
    wait_for(CALL_releasedir);
    return told(close((int)file->fh));
}

static int slow_fsyncdir(const char *path, int only_data, struct fuse_file_info *file)
{
    (void)path;
    (void)only_data;
    wait_for(CALL_fsyncdir);
    return told(fsync((int)file->fh));
}

static int slow_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *file)
{
    wait_for(CALL_utimens);
    if (file != NULL)
        return told(futimens((int)file->fh, times));
    return told(utimensat(root, inner(path), times, AT_SYMLINK_NOFOLLOW));
}

static void write_counts(void *unused)
{
    (void)unused;
    FILE *out = fopen(counts_path, "w");
    if (out == NULL)
        return;
    for (int call = 0; call < CALL_COUNT; call++)
        if (counts[call] != 0)
            fprintf(out, "%s %lu\n", names[call], counts[call]);
    fclose(out);
}

static const struct fuse_operations operations = {
#define OPERATION(name) .name = slow_##name,
    CALLS(OPERATION)
#undef OPERATION
    .destroy = write_counts,
};

int main(int count, char **words)
{
    if (count < 5) {
        fprintf(stderr, "usage: slowfs MICROSECONDS CALLS FOLDER MOUNTPOINT [FUSE OPTION...]\n");
        return 2;
    }
    long micros = strtol(words[1], NULL, 10);
    delay.tv_sec = micros / 1000000;
    delay.tv_nsec = micros % 1000000 * 1000;
    counts_path = realpath(words[2], NULL);
    root = open(words[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (counts_path == NULL || root < 0) {
        fprintf(stderr, "slowfs: can't open %s\n", counts_path == NULL ? words[2] : words[3]);
        return 1;
    }
    umask(0);
    words[3] = words[0];
    return fuse_main(count - 3, words + 3, &operations, NULL);
}
