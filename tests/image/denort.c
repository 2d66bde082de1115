/*
 * Stands in for denort, Deno's runtime for executables, which has to be downloaded. `deno compile` embeds the program
 * in it as in the real one. This program writes the embedded files into a folder of FOLDER, and becomes FOLDER/deno,
 * which runs the bundle among them with FLAGS. stand_ins.ts sets both, container.ts mounts that folder.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* In two pieces, so that this program does not have in itself what it looks for. */
static const char *const MAGIC[] = {"d3n0l4nd", "d3n0l4nd"};
/* Bytes that count npm packages and remote modules, of which a bundle has none. */
enum { MAGIC_LENGTH = 8, NO_MODULES = 20 };

/* Reads a piece that stands behind its length, and moves on to what follows. */
static const char *sized(const char **at, size_t *length) {
  uint64_t count;
  memcpy(&count, *at, sizeof count);
  const char *piece = *at + sizeof count;
  *at = piece + count;
  *length = count;
  return piece;
}

/* The last place where the magic word stands twice. */
static const char *embedded(const char *file, size_t length) {
  for (const char *at = file + length - 2 * MAGIC_LENGTH; at >= file; at--) {
    if (!memcmp(at, MAGIC[0], MAGIC_LENGTH) && !memcmp(at + MAGIC_LENGTH, MAGIC[1], MAGIC_LENGTH)) return at;
  }
  errx(1, "nothing is embedded");
}

static void store(const char *path, const char *bytes, size_t length) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0400);
  if (file == -1) err(1, "%s", path);
  for (ssize_t done; length > 0; bytes += done, length -= done) {
    if ((done = write(file, bytes, length)) == -1) err(1, "%s", path);
  }
  close(file);
}

int main(int count, char **arguments) {
  int self = open("/proc/self/exe", O_RDONLY);
  struct stat status;
  if (self == -1 || fstat(self, &status) == -1) err(1, "/proc/self/exe");
  const char *file = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, self, 0);
  if (file == MAP_FAILED) err(1, "mmap");
  close(self);

  const char *at = embedded(file, status.st_size) + 2 * MAGIC_LENGTH;
  size_t length;
  sized(&at, &length); /* The metadata: FLAGS says the same. */
  at += NO_MODULES;
  const char *entries = sized(&at, &length);
  char *listing = strndup(entries, length);
  const char *data = sized(&at, &length);

  char folder[] = FOLDER "/XXXXXX";
  if (mkdtemp(folder) == NULL) err(1, "%s", folder);
  char build[sizeof folder + 16], path[sizeof build + 64], module[sizeof path] = "";
  snprintf(build, sizeof build, "%s/.build", folder);
  if (mkdir(build, 0700) == -1) err(1, "%s", build);
  for (char *entry = listing; (entry = strstr(entry, "{\"File\":")) != NULL; entry++) {
    char name[64];
    size_t from, size;
    if (sscanf(entry, "{\"File\":{\"n\":\"%63[^\"/]\",\"o\":[%zu,%zu]", name, &from, &size) != 3 ||
        from > length || size > length - from) errx(1, "cannot read %s", entry);
    snprintf(path, sizeof path, "%s/%s", build, name);
    store(path, data + from, size);
    const char *ending = strrchr(name, '.');
    if (ending != NULL && !strcmp(ending, ".js")) strcpy(module, path);
  }

  static const char *const flags[] = {"run", FLAGS};
  enum { FLAG_COUNT = sizeof flags / sizeof *flags };
  const char *all[1 + FLAG_COUNT + 1 + count];
  size_t next = 0;
  all[next++] = FOLDER "/deno";
  for (size_t flag = 0; flag < FLAG_COUNT; flag++) all[next++] = flags[flag];
  all[next++] = module;
  for (int argument = 1; argument < count; argument++) all[next++] = arguments[argument];
  all[next] = NULL;
  execv(FOLDER "/deno", (char *const *)all);
  err(1, "%s", FOLDER "/deno");
}
