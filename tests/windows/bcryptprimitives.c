// The one function of bcryptprimitives.dll that Rust's standard library calls, for versions of Wine that lack it: random
// bytes, taken from RtlGenRandom, whose name in the library is SystemFunction036.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return SystemFunction036(data, (ULONG)size);
}
