/** A relying party for the tests. */
@NullMarked
package kvasir.metal.snp.verify;

import org.jspecify.annotations.NullMarked;
