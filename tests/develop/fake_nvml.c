/* A stand-in for NVIDIA's management library, for tests: what it tells is in the file FAKE_NVML.
 *
 *   gpu NAME TOTAL USED PERCENT
 *   process GPU PID BYTES PERCENT
 *
 * Only what Perijove asks is here, with the layouts of nvml.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char name[64]; unsigned long long total, used; unsigned percent; } gpu_t;
typedef struct { unsigned gpu, pid; unsigned long long used; unsigned percent; } process_t;
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned gpu, memory; } utilization_t;
typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } info_t;
typedef struct { unsigned pid; unsigned long long at; unsigned sm, mem, enc, dec; } sample_t;

static gpu_t gpus[16];
static process_t processes[64];
static unsigned gpu_count, process_count;

static void look(void) {
  const char *path = getenv("FAKE_NVML");
  FILE *file = path ? fopen(path, "r") : NULL;
  char word[16];
  gpu_count = process_count = 0;
  while (file && fscanf(file, "%15s", word) == 1) {
    if (!strcmp(word, "gpu")) {
      gpu_t *g = &gpus[gpu_count++];
      if (fscanf(file, "%63s %llu %llu %u", g->name, &g->total, &g->used, &g->percent) != 4) break;
    } else {
      process_t *p = &processes[process_count++];
      if (fscanf(file, "%u %u %llu %u", &p->gpu, &p->pid, &p->used, &p->percent) != 4) break;
    }
  }
  if (file) fclose(file);
}

int nvmlInit_v2(void) { return 0; }
int nvmlInitWithFlags(unsigned flags) { return flags ? 0 : 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 6 ? "Not Found" : "simulated"; }
int nvmlDeviceGetCount_v2(unsigned *count) { look(); *count = gpu_count; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
  *handle = &gpus[index];
  return index < gpu_count ? 0 : 2;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned length) {
  strncpy(name, ((gpu_t *)handle)->name, length);
  return 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
  gpu_t *g = handle;
  look();
  memory->total = g->total; memory->used = g->used; memory->free = g->total - g->used;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void *handle, utilization_t *rates) {
  rates->gpu = ((gpu_t *)handle)->percent;
  rates->memory = 0;
  return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, info_t *infos) {
  unsigned room = *count, index = (gpu_t *)handle - gpus;
  *count = 0;
  look();
  for (unsigned i = 0; i < process_count; i++) {
    if (processes[i].gpu != index) continue;
    if (*count < room) infos[*count] = (info_t){processes[i].pid, processes[i].used, 0, 0};
    (*count)++;
  }
  return *count > room ? 7 : 0;
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, info_t *infos) {
  return nvmlDeviceGetComputeRunningProcesses_v3(handle, count, infos);
}
int nvmlDeviceGetProcessUtilization(void *handle, sample_t *samples, unsigned *count,
                                    unsigned long long since) {
  unsigned room = *count, index = (gpu_t *)handle - gpus;
  *count = 0;
  for (unsigned i = 0; i < process_count; i++) {
    if (processes[i].gpu != index || !processes[i].percent) continue;
    if (*count < room)
      samples[*count] = (sample_t){processes[i].pid, since + 1, processes[i].percent, 0, 0, 0};
    (*count)++;
  }
  if (!*count) return 6;
  return room < *count ? 7 : 0;
}
