package kvasir.vmm.device;

import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import kvasir.kvm.irqchip.IrqChip;

/**
 * The MC146818 real-time clock with CMOS memory at ports 70h and 71h, without its periodic and alarm interrupts. Its
 * time is the machine's start time plus virtual time.
 */
public final class Rtc implements PortDevice {
    private static final int STATUS_A = 0x0a;
    private static final int STATUS_B = 0x0b;
    private static final int STATUS_C = 0x0c;
    private static final int STATUS_D = 0x0d;
    private static final int BINARY = 4;
    private static final int HOURS_24 = 2;

    private final byte[] cmos = new byte[128];
    private final LocalDateTime start;
    private int index;

    /**
     * @param start what the clock shows at TSC 0
     * @param memory bytes of RAM below 4 GiB, told in the CMOS bytes that a PC firmware reads
     */
    public Rtc(LocalDateTime start, long memory) {
        this.start = start;
        cmos[STATUS_A] = 0x26;
        cmos[STATUS_B] = HOURS_24;
        long extended = Math.clamp(memory / 1024 - 1024, 0, 0xffff);
        cmos[0x17] = (byte) extended;
        cmos[0x18] = (byte) (extended >>> 8);
        cmos[0x30] = (byte) extended;
        cmos[0x31] = (byte) (extended >>> 8);
        long above16M = Math.clamp(memory / 65536 - 256, 0, 0xffff);
        cmos[0x34] = (byte) above16M;
        cmos[0x35] = (byte) (above16M >>> 8);
        cmos[0x15] = (byte) (640 & 0xff);
        cmos[0x16] = (byte) (640 >>> 8);
    }

    @Override
    public boolean owns(int port) {
        return port == 0x70 || port == 0x71;
    }

    @Override
    public int read(int port, int bytes, long now) {
        if (port == 0x70) {
            return 0xff;
        }
        LocalDateTime time = start.plus(Long.divideUnsigned(now, IrqChip.TSC_HERTZ), ChronoUnit.SECONDS);
        return switch (index) {
            case 0x00 -> encode(time.getSecond());
            case 0x02 -> encode(time.getMinute());
            case 0x04 -> hours(time.getHour());
            case 0x06 -> encode(time.getDayOfWeek().getValue() % 7 + 1);
            case 0x07 -> encode(time.getDayOfMonth());
            case 0x08 -> encode(time.getMonthValue());
            case 0x09 -> encode(time.getYear() % 100);
            case 0x32 -> encode(time.getYear() / 100);
            case STATUS_A -> cmos[STATUS_A] & 0x7f;
            case STATUS_C -> 0;
            case STATUS_D -> 0x80;
            default -> cmos[index] & 0xff;
        };
    }

    private int hours(int hour) {
        if ((cmos[STATUS_B] & HOURS_24) != 0) {
            return encode(hour);
        }
        int twelve = hour % 12 == 0 ? 12 : hour % 12;
        return encode(twelve) | (hour >= 12 ? 0x80 : 0);
    }

    private int encode(int value) {
        return (cmos[STATUS_B] & BINARY) != 0 ? value : value / 10 << 4 | value % 10;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        if (port == 0x70) {
            index = value & 0x7f;
        } else if (index != STATUS_C && index != STATUS_D) {
            cmos[index] = (byte) value;
        }
    }

    @Override
    public Runnable checkpoint() {
        byte[] savedCmos = cmos.clone();
        int savedIndex = index;
        return () -> {
            System.arraycopy(savedCmos, 0, cmos, 0, cmos.length);
            index = savedIndex;
        };
    }
}
