/* The installed command: becomes the system's Python inside the bundle's own environment.
 *
 * The bundle is found from where this file lies (PREFIX/bin beside PREFIX/lib), so that it works wherever the package
 * was unpacked. Python gets -I: nothing of the caller's PYTHONPATH or home comes into the program.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE "/lib/{{ cookiecutter.app_name }}"

static void joined(char *into, const char *prefix, const char *rest)
{
    if (snprintf(into, PATH_MAX, "%s%s", prefix, rest) >= PATH_MAX) {
        fputs("{{ cookiecutter.app_name }}: its path is too long\n", stderr);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static char self[PATH_MAX], folder[PATH_MAX], python[PATH_MAX], start[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        strcpy(self, "/usr/bin/{{ cookiecutter.app_name }}");
    }
    strcpy(folder, self);
    const char *prefix = dirname(dirname(folder));
    joined(python, prefix, BUNDLE "/bin/python3");
    joined(start, prefix, BUNDLE "/start.py");

    char **handed = calloc((size_t)argc + 4, sizeof *handed);
    if (handed == NULL) {
        perror("{{ cookiecutter.app_name }}");
        return 1;
    }
    int at = 0;
    handed[at++] = python;
    handed[at++] = "-I";
    handed[at++] = start;
    handed[at++] = self;
    for (int from = 1; from < argc; from++) {
        handed[at++] = argv[from];
    }
    execv(python, handed);
    fprintf(stderr, "{{ cookiecutter.app_name }}: %s: %s\n", python, strerror(errno));
    fputs("Python {{ cookiecutter.python_version }} is missing. Install the package again.\n", stderr);
    return 1;
}
