"""Who tweeted a URL: [id, url] in, [id, tweeter] out. A sample of a graph, as in reach.ts."""
import storm

TWEETERS = {
    "foo.com/blog/1": "sally bob tim george nathan",
    "engineering.twitter.com/blog/5": "adam david sally nathan",
    "tech.backtype.com/blog/123": "tim mike john",
}


class GetTweeters(storm.BasicBolt):
    def process(self, tup):
        request, url = tup.values
        for tweeter in TWEETERS.get(url, "").split():
            storm.emit([request, tweeter])


GetTweeters().run()
