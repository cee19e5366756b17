#include <fcgiapp.h>

/* What the accept loop waits with; Swift's Glibc module leaves these two headers out. */
#include <sys/epoll.h>
#include <sys/signalfd.h>
