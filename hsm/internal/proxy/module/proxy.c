/* A PKCS #11 module that passes what it is asked to another module, MODULE, and makes the
   faults that the mapped file CONTROL describes; package proxy writes them. Both are
   defined when it is compiled, so that one process can have several. All parameters of
   PKCS #11's functions are words, or are passed as such by the platforms that this is for. */

#define _GNU_SOURCE /* a lock that prefers writers */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef unsigned long W;
typedef W (*fn)();

/* The functions that faults are for, in the order of the function list, with their arity. */
#define V240(X) \
  X(C_Initialize, 1) X(C_Finalize, 1) X(C_GetInfo, 1) X(C_GetFunctionList, 1) X(C_GetSlotList, 3) \
  X(C_GetSlotInfo, 2) X(C_GetTokenInfo, 2) X(C_GetMechanismList, 3) X(C_GetMechanismInfo, 3) \
  X(C_InitToken, 4) X(C_InitPIN, 3) X(C_SetPIN, 5) X(C_OpenSession, 5) X(C_CloseSession, 1) \
  X(C_CloseAllSessions, 1) X(C_GetSessionInfo, 2) X(C_GetOperationState, 3) X(C_SetOperationState, 5) \
  X(C_Login, 4) X(C_Logout, 1) X(C_CreateObject, 4) X(C_CopyObject, 5) X(C_DestroyObject, 2) \
  X(C_GetObjectSize, 3) X(C_GetAttributeValue, 4) X(C_SetAttributeValue, 4) X(C_FindObjectsInit, 3) \
  X(C_FindObjects, 4) X(C_FindObjectsFinal, 1) X(C_EncryptInit, 3) X(C_Encrypt, 5) X(C_EncryptUpdate, 5) \
  X(C_EncryptFinal, 3) X(C_DecryptInit, 3) X(C_Decrypt, 5) X(C_DecryptUpdate, 5) X(C_DecryptFinal, 3) \
  X(C_DigestInit, 2) X(C_Digest, 5) X(C_DigestUpdate, 3) X(C_DigestKey, 2) X(C_DigestFinal, 3) \
  X(C_SignInit, 3) X(C_Sign, 5) X(C_SignUpdate, 3) X(C_SignFinal, 3) X(C_SignRecoverInit, 3) \
  X(C_SignRecover, 5) X(C_VerifyInit, 3) X(C_Verify, 5) X(C_VerifyUpdate, 3) X(C_VerifyFinal, 3) \
  X(C_VerifyRecoverInit, 3) X(C_VerifyRecover, 5) X(C_DigestEncryptUpdate, 5) X(C_DecryptDigestUpdate, 5) \
  X(C_SignEncryptUpdate, 5) X(C_DecryptVerifyUpdate, 5) X(C_GenerateKey, 5) X(C_GenerateKeyPair, 8) \
  X(C_WrapKey, 6) X(C_UnwrapKey, 8) X(C_DeriveKey, 6) X(C_SeedRandom, 3) X(C_GenerateRandom, 3) \
  X(C_GetFunctionStatus, 1) X(C_CancelFunction, 1) X(C_WaitForSlotEvent, 3)
#define V32(X) X(C_EncapsulateKey, 8) X(C_DecapsulateKey, 8)

enum {
#define X(name, arity) I_##name,
  V240(X) V32(X)
#undef X
  FUNCTIONS
};
enum { FIRST_30 = 68, FIRST_32 = 92, LAST_32 = 104, PASSED = 64 };

struct list {
  unsigned char major, minor;
  fn f[LAST_32];
};

/* These are mirrored in proxy.go. */
enum { BEFORE, AFTER, HANG, CORRUPT, SHORTEN, RESET };
enum { INTERFACE_32, INTERFACE_30, INTERFACE_NULL, INTERFACE_NONE };

struct fault {
  _Atomic uint64_t calls, from, count, period, action, code, delay;
};

struct control {
  _Atomic uint64_t interface, dead, flags, max_sessions, sessions, objects, release, hanging;
  struct fault fault[PASSED * 2];
};

static struct control *control;
static struct list *real, *real3;
static struct list passing, passing3;
static W (*real_interface)(const char *, const void *, void **, W);
static _Atomic W slot;

static int due(struct fault *f) {
  uint64_t n = atomic_fetch_add(&f->calls, 1) + 1, from = atomic_load(&f->from), period = f->period;
  if (!from || n < from) return 0;
  if (f->count && n - from >= f->count) return 0;
  return !period || (n - from) % period == 0;
}

/* A reset comes between the calls of a token, not in the middle of one. */
static pthread_rwlock_t calls = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void reset(void) {
  pthread_rwlock_wrlock(&calls);
  ((W(*)(W))real->f[I_C_CloseAllSessions])(slot);
  pthread_rwlock_unlock(&calls);
  atomic_store(&control->sessions, 0);
  atomic_store(&control->objects, 0);
}

static W called(int i, W rv, W *a) {
  if (rv) return rv;
  switch (i) {
  case I_C_OpenSession:
    slot = a[0];
    atomic_fetch_add(&control->sessions, 1);
    break;
  case I_C_CloseSession:
    if (atomic_load(&control->sessions)) atomic_fetch_sub(&control->sessions, 1);
    break;
  case I_C_CloseAllSessions:
  case I_C_Finalize:
    atomic_store(&control->sessions, 0);
    break;
  case I_C_DecapsulateKey:
    atomic_fetch_add(&control->objects, 1);
    break;
  case I_C_GetTokenInfo:
    *(W *)((char *)a[1] + 96) |= control->flags;
    break;
  }
  return 0;
}

/* begin returns 1 if rv is the answer, without the module. */
static int begin(int i, int *fires, W *rv) {
  struct fault *f = &control->fault[i];
  *fires = due(f);
  if (control->dead && i != I_C_Initialize && i != I_C_Finalize && i != I_C_GetFunctionList) {
    *rv = control->dead;
    return 1;
  }
  if (i == I_C_OpenSession && control->max_sessions && control->sessions >= control->max_sessions) {
    *rv = 0xB1;
    return 1;
  }
  if (!*fires) return 0;
  if (f->delay) usleep(f->delay);
  switch (f->action) {
  case BEFORE:
    *rv = f->code;
    return f->code != 0;
  case HANG:
    atomic_fetch_add(&control->hanging, 1);
    while (!atomic_load(&control->release)) usleep(1000);
    atomic_fetch_sub(&control->hanging, 1);
    *rv = f->code;
    return f->code != 0;
  case RESET:
    reset();
    *rv = f->code;
    return 1;
  }
  return 0;
}

static W end(int i, int fires, W rv, W *a, int arity) {
  struct fault *f = &control->fault[i];
  W *length;
  if (i == I_C_DestroyObject && atomic_load(&control->objects)) /* it may be gone with its session */
    atomic_fetch_sub(&control->objects, 1);
  rv = called(i, rv, a);
  if (!fires || rv) return rv;
  switch (f->action) {
  case AFTER:
    return f->code;
  case CORRUPT: /* a[arity-2] is the output, and a[arity-1] points at its length */
    length = (W *)a[arity - 1];
    if (a[arity - 2] && *length) ((unsigned char *)a[arity - 2])[*length / 2] ^= 1;
    break;
  case SHORTEN:
    length = (W *)a[arity - 1];
    if (a[arity - 2] && *length) --*length;
    break;
  }
  return 0;
}

#define P1 W a0
#define P2 P1, W a1
#define P3 P2, W a2
#define P4 P3, W a3
#define P5 P4, W a4
#define P6 P5, W a5
#define P7 P6, W a6
#define P8 P7, W a7
#define T1 W
#define T2 T1, W
#define T3 T2, W
#define T4 T3, W
#define T5 T4, W
#define T6 T5, W
#define T7 T6, W
#define T8 T7, W
#define A1 a0
#define A2 A1, a1
#define A3 A2, a2
#define A4 A3, a3
#define A5 A4, a4
#define A6 A5, a5
#define A7 A6, a6
#define A8 A7, a7

#define PASS(name, arity, list, index) \
  static W pass_##name(P##arity) { \
    W a[] = {A##arity}, rv = 0; \
    int fires; \
    if (begin(I_##name, &fires, &rv)) return rv; \
    pthread_rwlock_rdlock(&calls); \
    rv = ((W(*)(T##arity))(list)->f[index])(A##arity); \
    pthread_rwlock_unlock(&calls); \
    return end(I_##name, fires, rv, a, arity); \
  }
#define X(name, arity) PASS(name, arity, real, I_##name)
V240(X)
#undef X
PASS(C_EncapsulateKey, 8, real3, FIRST_32)
PASS(C_DecapsulateKey, 8, real3, FIRST_32 + 1)

static int loaded(void) {
  W (*get)(struct list **);
  void *module;
  int file;
  if (real) return 1;
  file = open(CONTROL, O_RDWR);
  if (file < 0) return 0;
  control = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (control == MAP_FAILED) return 0;
  module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
  if (!module) return 0;
  get = (W(*)(struct list **))dlsym(module, "C_GetFunctionList");
  if (!get || get(&real)) return 0;
  passing.major = 2;
  passing.minor = 40;
#define X(name, arity) passing.f[I_##name] = (fn)pass_##name;
  V240(X)
#undef X
  real_interface = (W(*)(const char *, const void *, void **, W))dlsym(module, "C_GetInterface");
  return 1;
}

W C_GetFunctionList(struct list **list) {
  if (!loaded()) return 5;
  *list = &passing;
  passing.f[I_C_GetFunctionList] = (fn)C_GetFunctionList;
  return 0;
}

struct interface {
  const char *name;
  struct list *list;
  W flags;
};

W C_GetInterface(const char *name, const unsigned char *version, struct interface **found, W flags) {
  static struct interface mine = {"PKCS 11", &passing3, 0};
  struct interface *theirs;
  W rv;
  if (!loaded()) return 5;
  if (!real_interface || control->interface == INTERFACE_NONE) return 0x54;
  rv = real_interface(name, version, (void **)&theirs, flags);
  if (rv) return rv;
  real3 = theirs->list;
  passing3 = passing;
  passing3.major = real3->major;
  passing3.minor = real3->minor;
  if (real3->major == 3)
    memcpy(passing3.f + FIRST_30, real3->f + FIRST_30,
           ((real3->minor >= 2 ? LAST_32 : FIRST_32) - FIRST_30) * sizeof(fn));
  if (real3->major == 3 && real3->minor >= 2) {
    passing3.f[FIRST_32] = (fn)pass_C_EncapsulateKey;
    passing3.f[FIRST_32 + 1] = (fn)pass_C_DecapsulateKey;
  }
  switch (control->interface) {
  case INTERFACE_30:
    passing3.minor = 0;
    break;
  case INTERFACE_NULL:
    memset(passing3.f + FIRST_32, 0, (LAST_32 - FIRST_32) * sizeof(fn));
    break;
  }
  mine.flags = theirs->flags;
  *found = &mine;
  return 0;
}
