package kvasir.kvm.irqchip;

import java.util.function.ObjLongConsumer;
import java.util.function.ToLongFunction;

/**
 * One 8259A interrupt controller (Intel 8259A data sheet; KVM's i8259.c for what a PC leaves out: 8086 mode, no
 * buffered mode).
 */
final class Pic {
    private final int elcrMask;
    private int request;
    private int mask;
    private int service;
    private int lastLevel;
    private int edgeLevel;
    private int priorityAdd;
    private int vectorBase;
    private int initState;
    private boolean readService;
    private boolean poll;
    private boolean specialMask;
    private boolean autoEoi;
    private boolean rotateOnAutoEoi;
    private boolean specialFullyNested;
    private boolean expectsFourWords;

    /** @param elcrMask the lines whose trigger mode the edge/level register may choose */
    Pic(int elcrMask) {
        this.elcrMask = elcrMask;
    }

    private void reset() {
        request = 0;
        mask = 0;
        service = 0;
        lastLevel = 0;
        priorityAdd = 0;
        vectorBase = 0;
        initState = 0;
        readService = false;
        poll = false;
        specialMask = false;
        autoEoi = false;
        rotateOnAutoEoi = false;
        specialFullyNested = false;
        expectsFourWords = false;
    }

    void setLine(int line, boolean high) {
        int bit = 1 << line;
        if ((edgeLevel & bit) != 0) {
            request = high ? request | bit : request & ~bit;
            lastLevel = high ? lastLevel | bit : lastLevel & ~bit;
        } else if (high) {
            if ((lastLevel & bit) == 0) {
                request |= bit;
            }
            lastLevel |= bit;
        } else {
            lastLevel &= ~bit;
        }
    }

    /** Priority of the highest set line of {@code lines}, 0 the highest; 8 if none. */
    private int priority(int lines) {
        if (lines == 0) {
            return 8;
        }
        int priority = 0;
        while ((lines & 1 << (priority + priorityAdd & 7)) == 0) {
            priority++;
        }
        return priority;
    }

    /**
     * The line that would interrupt now, or -1.
     *
     * @param master whether line 2 is the cascade, which special fully nested mode does not count as in service
     */
    int pending(boolean master) {
        int priority = priority(request & ~mask);
        if (priority == 8) {
            return -1;
        }
        int inService = specialMask ? service & ~mask : service;
        if (specialFullyNested && master) {
            inService &= ~(1 << 2);
        }
        return priority < priority(inService) ? priority + priorityAdd & 7 : -1;
    }

    void acknowledge(int line) {
        if (autoEoi) {
            if (rotateOnAutoEoi) {
                priorityAdd = line + 1 & 7;
            }
        } else {
            service |= 1 << line;
        }
        if ((edgeLevel & 1 << line) == 0) {
            request &= ~(1 << line);
        }
    }

    int vector(int line) {
        return vectorBase + line;
    }

    void writeCommand(int value) {
        if ((value & 0x10) != 0) {
            int keep = edgeLevel;
            reset();
            edgeLevel = keep;
            initState = 1;
            expectsFourWords = (value & 1) != 0;
        } else if ((value & 0x08) != 0) {
            poll = (value & 4) != 0;
            if ((value & 2) != 0) {
                readService = (value & 1) != 0;
            }
            if ((value & 0x40) != 0) {
                specialMask = (value & 0x20) != 0;
            }
        } else {
            endOfInterrupt(value);
        }
    }

    private void endOfInterrupt(int value) {
        int command = value >>> 5;
        switch (command) {
            case 0, 4 -> rotateOnAutoEoi = command == 4;
            case 1, 5 -> {
                int priority = priority(service);
                if (priority != 8) {
                    int line = priority + priorityAdd & 7;
                    service &= ~(1 << line);
                    if (command == 5) {
                        priorityAdd = line + 1 & 7;
                    }
                }
            }
            case 3 -> service &= ~(1 << (value & 7));
            case 6 -> priorityAdd = value + 1 & 7;
            case 7 -> {
                service &= ~(1 << (value & 7));
                priorityAdd = value + 1 & 7;
            }
            default -> {}
        }
    }

    void writeData(int value) {
        switch (initState) {
            case 0 -> mask = value & 0xff;
            case 1 -> {
                vectorBase = value & 0xf8;
                initState = 2;
            }
            case 2 -> initState = expectsFourWords ? 3 : 0;
            default -> {
                specialFullyNested = (value & 0x10) != 0;
                autoEoi = (value & 2) != 0;
                initState = 0;
            }
        }
    }

    int readCommand(boolean master) {
        if (poll) {
            poll = false;
            int line = pending(master);
            if (line < 0) {
                return 0;
            }
            acknowledge(line);
            return 0x80 | line;
        }
        return readService ? service : request;
    }

    int readData() {
        return mask;
    }

    int readTriggerModes() {
        return edgeLevel;
    }

    void writeTriggerModes(int value) {
        edgeLevel = value & elcrMask;
    }

    /** struct kvm_pic_state, field by field. */
    void save(ObjLongConsumer<String> state) {
        state.accept("last_irr", lastLevel);
        state.accept("irr", request);
        state.accept("imr", mask);
        state.accept("isr", service);
        state.accept("priority_add", priorityAdd);
        state.accept("irq_base", vectorBase);
        state.accept("read_reg_select", readService ? 1 : 0);
        state.accept("poll", poll ? 1 : 0);
        state.accept("special_mask", specialMask ? 1 : 0);
        state.accept("init_state", initState);
        state.accept("auto_eoi", autoEoi ? 1 : 0);
        state.accept("rotate_on_auto_eoi", rotateOnAutoEoi ? 1 : 0);
        state.accept("special_fully_nested_mode", specialFullyNested ? 1 : 0);
        state.accept("init4", expectsFourWords ? 1 : 0);
        state.accept("elcr", edgeLevel);
        state.accept("elcr_mask", elcrMask);
    }

    /** What {@link #save} told, or user space has made of it; the mask of the edge/level register stays. */
    void load(ToLongFunction<String> state) {
        lastLevel = (int) state.applyAsLong("last_irr");
        request = (int) state.applyAsLong("irr");
        mask = (int) state.applyAsLong("imr");
        service = (int) state.applyAsLong("isr");
        priorityAdd = (int) state.applyAsLong("priority_add") & 7;
        vectorBase = (int) state.applyAsLong("irq_base");
        readService = state.applyAsLong("read_reg_select") != 0;
        poll = state.applyAsLong("poll") != 0;
        specialMask = state.applyAsLong("special_mask") != 0;
        initState = (int) state.applyAsLong("init_state") & 3;
        autoEoi = state.applyAsLong("auto_eoi") != 0;
        rotateOnAutoEoi = state.applyAsLong("rotate_on_auto_eoi") != 0;
        specialFullyNested = state.applyAsLong("special_fully_nested_mode") != 0;
        expectsFourWords = state.applyAsLong("init4") != 0;
        edgeLevel = (int) state.applyAsLong("elcr") & elcrMask;
    }

    private void copyFrom(Pic other) {
        request = other.request;
        mask = other.mask;
        service = other.service;
        lastLevel = other.lastLevel;
        edgeLevel = other.edgeLevel;
        priorityAdd = other.priorityAdd;
        vectorBase = other.vectorBase;
        initState = other.initState;
        readService = other.readService;
        poll = other.poll;
        specialMask = other.specialMask;
        autoEoi = other.autoEoi;
        rotateOnAutoEoi = other.rotateOnAutoEoi;
        specialFullyNested = other.specialFullyNested;
        expectsFourWords = other.expectsFourWords;
    }

    Runnable checkpoint() {
        var saved = new Pic(elcrMask);
        saved.copyFrom(this);
        return () -> copyFrom(saved);
    }
}
