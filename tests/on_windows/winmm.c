/* Devices for Wine, which has none without the kernel's: a keyboard that plays a tune again and again, and a synthesiser
   that writes down what it gets, a line of hexadecimal a message, in the file that PLAYED_FILE names. See `wine.py`. */

#define _WINMM_
#include <windows.h>
#include <mmsystem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYBOARD "Keystation"
#define SYNTHESISER "Microsoft GS Wavetable Synth"
#define HOLD_MILLISECONDS 100

static const BYTE tune[] = {60, 64, 67, 72};
static struct keyboard {
    DWORD_PTR callback, instance;
    HANDLE thread;
    volatile LONG plays;
    DWORD began;
} keyboard;

static void press(BYTE status, BYTE pitch, BYTE velocity)
{
    typedef void(CALLBACK *heard)(HMIDIIN, UINT, DWORD_PTR, DWORD_PTR, DWORD_PTR);
    ((heard)keyboard.callback)((HMIDIIN)&keyboard, MIM_DATA, keyboard.instance, status | pitch << 8 | velocity << 16,
                               GetTickCount() - keyboard.began);
}

static DWORD WINAPI play(void *nothing)
{
    for (unsigned number = 0; keyboard.plays; number++) {
        press(0x90, tune[number % sizeof tune], 80);
        Sleep(HOLD_MILLISECONDS);
        press(0x80, tune[number % sizeof tune], 64);
        Sleep(HOLD_MILLISECONDS);
    }
    return 0;
}

UINT WINAPI midiInGetNumDevs(void) { return 1; }

MMRESULT WINAPI midiInGetDevCapsA(UINT_PTR number, LPMIDIINCAPSA caps, UINT size)
{
    if (number != 0) return MMSYSERR_BADDEVICEID;
    memset(caps, 0, size);
    strcpy(caps->szPname, KEYBOARD);
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiInOpen(LPHMIDIIN handle, UINT number, DWORD_PTR callback, DWORD_PTR instance, DWORD flags)
{
    if (number != 0) return MMSYSERR_BADDEVICEID;
    keyboard.callback = callback;
    keyboard.instance = instance;
    *handle = (HMIDIIN)&keyboard;
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiInStart(HMIDIIN handle)
{
    keyboard.began = GetTickCount();
    if (!InterlockedExchange(&keyboard.plays, 1)) keyboard.thread = CreateThread(NULL, 0, play, NULL, 0, NULL);
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiInStop(HMIDIIN handle)
{
    InterlockedExchange(&keyboard.plays, 0);
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiInReset(HMIDIIN handle) { return midiInStop(handle); }
MMRESULT WINAPI midiInClose(HMIDIIN handle) { return midiInStop(handle); }
MMRESULT WINAPI midiInPrepareHeader(HMIDIIN handle, LPMIDIHDR header, UINT size) { return MMSYSERR_NOERROR; }
MMRESULT WINAPI midiInUnprepareHeader(HMIDIIN handle, LPMIDIHDR header, UINT size) { return MMSYSERR_NOERROR; }
MMRESULT WINAPI midiInAddBuffer(HMIDIIN handle, LPMIDIHDR header, UINT size) { return MMSYSERR_NOERROR; }

UINT WINAPI midiOutGetNumDevs(void) { return 1; }

MMRESULT WINAPI midiOutGetDevCapsA(UINT_PTR number, LPMIDIOUTCAPSA caps, UINT size)
{
    if (number != 0) return MMSYSERR_BADDEVICEID;
    memset(caps, 0, size);
    strcpy(caps->szPname, SYNTHESISER);
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiOutOpen(LPHMIDIOUT handle, UINT number, DWORD_PTR callback, DWORD_PTR instance, DWORD flags)
{
    if (number != 0) return MMSYSERR_BADDEVICEID;
    *handle = (HMIDIOUT)&tune;
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiOutShortMsg(HMIDIOUT handle, DWORD message)
{
    const char *name = getenv("PLAYED_FILE");
    FILE *file = name == NULL ? NULL : fopen(name, "a");
    if (file != NULL) {
        fprintf(file, "%02lx%02lx%02lx\n", message & 0xff, message >> 8 & 0xff, message >> 16 & 0xff);
        fclose(file);
    }
    return MMSYSERR_NOERROR;
}

MMRESULT WINAPI midiOutLongMsg(HMIDIOUT handle, LPMIDIHDR header, UINT size) { return MMSYSERR_NOERROR; }
MMRESULT WINAPI midiOutPrepareHeader(HMIDIOUT handle, LPMIDIHDR header, UINT size) { return MMSYSERR_NOERROR; }
MMRESULT WINAPI midiOutUnprepareHeader(HMIDIOUT handle, LPMIDIHDR header, UINT size) { return MMSYSERR_NOERROR; }
MMRESULT WINAPI midiOutReset(HMIDIOUT handle) { return MMSYSERR_NOERROR; }
MMRESULT WINAPI midiOutClose(HMIDIOUT handle) { return MMSYSERR_NOERROR; }
