package kvasir.vmm.device;

import java.util.List;

/** The port devices of one machine. A port that nobody owns reads as all ones and swallows writes, as on a PC. */
public final class PortBus {
    private final List<PortDevice> devices;

    /** @param devices looked up in this order */
    public PortBus(List<PortDevice> devices) {
        this.devices = List.copyOf(devices);
    }

    /** IN of 1, 2 or 4 bytes. */
    public int read(int port, int bytes, long now) {
        for (PortDevice device : devices) {
            if (device.owns(port)) {
                return device.read(port, bytes, now);
            }
        }
        return -1 >>> 32 - 8 * bytes;
    }

    /** OUT of 1, 2 or 4 bytes. */
    public void write(int port, int bytes, int value, long now) {
        for (PortDevice device : devices) {
            if (device.owns(port)) {
                device.write(port, bytes, value, now);
                return;
            }
        }
    }

    /** All devices as they are, as an action that puts them back. */
    Runnable checkpoint() {
        List<Runnable> parts = devices.stream().map(PortDevice::checkpoint).toList();
        return () -> parts.forEach(Runnable::run);
    }
}
