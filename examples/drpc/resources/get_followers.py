"""Who follows somebody: [id, tweeter] in, [id, follower] out. A sample of a graph, as in reach.ts."""
import storm

FOLLOWERS = {
    "sally": "bob tim alice adam jim chris jai",
    "bob": "sally nathan jim mary david vivian",
    "tim": "alex",
    "nathan": "sally bob adam harry chris vivian emily jordan",
    "adam": "david carissa",
    "mike": "john bob",
    "john": "alice nathan jim mike bob",
}


class GetFollowers(storm.BasicBolt):
    def process(self, tup):
        request, tweeter = tup.values
        for follower in FOLLOWERS.get(tweeter, "").split():
            storm.emit([request, follower])


GetFollowers().run()
