package axion;

import org.apache.spark.SparkContext;

/** How many jobs Spark runs now beside the one that asks: SELECT reflect('axion.Running', 'count'). */
public class Running {
    public static String count() {
        return String.valueOf(SparkContext.getOrCreate().statusTracker().getActiveJobIds().length - 1);
    }
}
