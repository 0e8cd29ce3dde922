/* What Wine's C library (ucrtbase.dll) leaves out and Windows has; all else is Wine's own. See `wine.py`. */

#include <complex.h>
#include <errno.h>
#include <windows.h>

#define OF_ONE(name) \
    double complex our_##name(double complex z) { return name(z); } \
    float complex our_##name##f(float complex z) { return name##f(z); }
#define REAL(name) \
    double our_##name(double complex z) { return name(z); } \
    float our_##name##f(float complex z) { return name##f(z); }

OF_ONE(cacos) OF_ONE(cacosh) OF_ONE(casin) OF_ONE(casinh) OF_ONE(catan) OF_ONE(catanh) OF_ONE(ccos) OF_ONE(ccosh)
OF_ONE(cexp) OF_ONE(clog) OF_ONE(conj) OF_ONE(cproj) OF_ONE(csin) OF_ONE(csinh) OF_ONE(csqrt) OF_ONE(ctan) OF_ONE(ctanh)
REAL(cabs) REAL(carg) REAL(cimag) REAL(creal)
double complex our_cpow(double complex z, double complex power) { return cpow(z, power); }
float complex our_cpowf(float complex z, float complex power) { return cpowf(z, power); }

/* Wine's own refuses as well, but leaves errno as it was, where Windows says EACCES. */
int our__locking(int descriptor, int mode, long count)
{
    HMODULE wine = GetModuleHandleA("wineucrtbase.dll");
    HANDLE file = (HANDLE)((intptr_t (*)(int))GetProcAddress(wine, "_get_osfhandle"))(descriptor);
    long long at = ((long long (*)(int, long long, int))GetProcAddress(wine, "_lseeki64"))(descriptor, 0, 1 /* from here */);
    BOOL done = mode == 0 ? UnlockFile(file, (DWORD)at, (DWORD)(at >> 32), count, 0)
                          : LockFile(file, (DWORD)at, (DWORD)(at >> 32), count, 0);
    if (!done)
        *((int *(*)(void))GetProcAddress(wine, "_errno"))() = EACCES;
    return done ? 0 : -1;
}
