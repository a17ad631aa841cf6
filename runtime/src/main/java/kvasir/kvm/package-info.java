/**
 * The middle storey: what the Linux kernel does. It knows {@code metal}, and nothing of user space: an exit is a value
 * it returns.
 */
@NullMarked
package kvasir.kvm;

import org.jspecify.annotations.NullMarked;
