/* Theory of operation: the two scales have the same meaning and other ends and
 * defaults: 2, 1024, 262144 against 1, 100, 10000. The curve through these three
 * points, a parabola where both axes are logarithms, keeps a default a default;
 * the straight line that runtimes used before made 39 of it, so that a container
 * lost against every service of the host.
 *
 * The two functions of libm are done by hand, good to some 12 digits: libm would
 * be one more shared library for every start of knarr. */
#include "cgroups/cpu_weight.h"

static double
log2_of(unsigned long long number)
{
	double x = (double)number, result = 0, bit = 0.5;

	while (x >= 2) {
		x /= 2;
		result++;
	}
	for (unsigned i = 0; i < 48; i++, bit /= 2) {
		x *= x;
		if (x >= 2) {
			x /= 2;
			result += bit;
		}
	}
	return result;
}

static double
power_of_10(double exponent)
{
	const double ln10 = 2.302585092994045684;
	double x = exponent * ln10 / 16, term = 1, sum = 1;

	for (unsigned i = 1; i < 20; i++) {
		term *= x / i;
		sum += term;
	}
	for (unsigned i = 0; i < 4; i++) /* exp(x)^16 */
		sum *= sum;
	return sum;
}

unsigned
cpu_weight(unsigned long long shares)
{
	double l, weight;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of(shares);
	weight = power_of_10((l * l + 125 * l) / 612 - 7.0 / 34);
	return (unsigned)(weight - 1e-9) + 1; /* rounded up; 1e-9: whole numbers stay */
}
