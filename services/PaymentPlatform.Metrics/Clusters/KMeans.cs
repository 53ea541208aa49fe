using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace PaymentPlatform.Metrics.Clusters;

/// <summary>Microsoft.ML's k-means. Nothing else mentions the library, so that it is loaded by the first window that is clustered and not by every start.</summary>
internal static class KMeans
{
    private const int Seed = 5;

    /// <param name="points">More distinct ones than clusters, all of one length.</param>
    /// <returns>For each point the number of its cluster, from 0; some may have none. One thread and a fixed seed: the same points in the same order give the same clusters.</returns>
    public static int[] Assign(float[][] points, int clusters)
    {
        // A context's random numbers go on from one training to the next.
        var context = new MLContext(Seed);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, points[0].Length);
        var data = context.Data.LoadFromEnumerable(points.Select(point => new Row { Features = point }), schema);
        var trainer = context.Clustering.Trainers.KMeans(new KMeansTrainer.Options
        {
            FeatureColumnName = nameof(Row.Features),
            NumberOfClusters = clusters,
            NumberOfThreads = 1,
            InitializationAlgorithm = KMeansTrainer.InitializationAlgorithm.KMeansPlusPlus,
        });
        VBuffer<float>[] centroids = [];
        trainer.Fit(data).Model.GetClusterCentroids(ref centroids, out _);
        var centers = Array.ConvertAll(centroids, c => c.DenseValues().ToArray());
        return Array.ConvertAll(points, point => Nearest(point, centers));
    }

    private static int Nearest(float[] point, float[][] centers)
    {
        var (nearest, least) = (0, double.MaxValue);
        for (var i = 0; i < centers.Length; i++)
        {
            var distance = 0.0;
            for (var axis = 0; axis < point.Length; axis++)
            {
                var difference = (double)point[axis] - centers[i][axis];
                distance += difference * difference;
            }

            if (distance < least)
                (nearest, least) = (i, distance);
        }

        return nearest;
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];
    }
}
